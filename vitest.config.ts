import { defineConfig } from "vitest/config";
import { COMPILE_CACHE } from "./test/fixtures/compile-cache.ts";

// For the processes that run the tests, and all that these start.
Object.assign(process.env, { ...COMPILE_CACHE, ...process.env });

/** `npm test` runs the suite, `npm run trials` what takes minutes: hostile gateways, failing services, whole lives. */
export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "suite", include: ["test/**/*.test.ts"] } },
      // Needs no service, no root and nothing installed beyond npm's packages: `npm run test:unit`.
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "trials", include: ["test/**/*.trial.ts"] } },
    ],
    // Two cores: real chains, real Redis and real child processes do not share them well with more.
    maxWorkers: 2,
    maxConcurrency: 2,
    // The one limit of every test. It only ends what hangs: on a machine with twenty other processes all is ten times slower.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 240_000 } },
    pool: "forks",
  },
});

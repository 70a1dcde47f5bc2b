import { globSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { COMPILE_CACHE } from "./test/fixtures/compile-cache.ts";
import { LONGEST, LongestFirst } from "./test/fixtures/longest-first.ts";

// For the processes that run the tests, and all that these start.
Object.assign(process.env, { ...COMPILE_CACHE, ...process.env });

/**
 * Files with real services that leave nothing in their process, so that they can share one. What takes longest gains nothing
 * by it, and has its own.
 */
const shared = globSync(["test/integration/**/*.test.ts", "test/contract/**/*.test.ts"], {
  cwd: import.meta.dirname,
}).filter((file) => !LONGEST.some((other) => other === file));

/**
 * `npm test` runs what is in the projects "unit", "shared" and "services". "trials" is what takes minutes: hostile gateways, failing
 * services, whole lives. "suite" is for any one file of those two by itself.
 */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // Needs no service, no root and nothing installed beyond npm's packages: `npm run test:unit`. Its files keep nothing
        // in their process, so they share one with what it has loaded: loading took three times what the tests take.
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], isolate: false },
      },
      {
        extends: true,
        test: { name: "shared", include: shared, isolate: false },
      },
      {
        extends: true,
        test: {
          name: "services",
          include: ["test/**/*.test.ts"],
          exclude: ["test/unit/**", ...shared, "**/node_modules/**"],
        },
      },
      { extends: true, test: { name: "suite", include: ["test/**/*.test.ts"] } },
      { extends: true, test: { name: "trials", include: ["test/**/*.trial.ts"] } },
    ],
    // For two cores: they are busy, as a third of the services' tests wait for a chain's next block, or for Redis to miss somebody.
    maxWorkers: 3,
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    // The one limit of every test. It only ends what hangs: on a machine with twenty other processes all is ten times slower.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 240_000 } },
    pool: "forks",
  },
});

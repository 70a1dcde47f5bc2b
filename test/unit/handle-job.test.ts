import { expect, it } from "vitest";
import { createScanHandler } from "../../src/consumer/handle-job.ts";
import { instant } from "../../src/domain/instant.ts";
import { createLogger } from "../../src/observe/log.ts";
import { encodeAnswer } from "../../src/queue/job-codec.ts";
import { jobFor } from "../fixtures/queue/jobs.ts";

it("keeps a verdict though the consumer's clock is set back while it scans", async () => {
  const job = jobFor("any", "a.txt", { claim: { raw: {} } });
  let looks = 0;
  const handle = createScanHandler({
    backends: new Map([
      [
        "any",
        {
          description: { name: "any", version: "1.0.0", accepts: {} },
          scan: async () => ({ kind: "finding", finding: { verdict: "malicious" } }),
        },
      ],
    ]),
    source: {
      fetch: async () => ({ kind: "content", bytes: Buffer.from("plain text"), sha256: "0".repeat(64) }),
      [Symbol.asyncDispose]: async () => {},
    },
    // An hour back whenever somebody looks.
    clock: { now: () => instant(job.deadline - 3_600_000 * ++looks) },
    log: createLogger({ level: "silent", format: "json", name: "test" }),
    consumer: "test",
    maxSizeBytes: 1_000,
  });
  const answer = encodeAnswer(job, await handle(job, new AbortController().signal));
  expect(answer).toMatchObject({ verdict: "malicious", timings: { queuedMs: 0, fetchMs: 0, scanMs: 0 } });
});

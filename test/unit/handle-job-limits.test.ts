import { describe, expect, it } from "vitest";
import { Semaphore } from "../../src/async/semaphore.ts";
import type { Fetched } from "../../src/consumer/artifact-attempts.ts";
import { createScanHandler, type HandlerParts } from "../../src/consumer/handle-job.ts";
import { instant } from "../../src/domain/instant.ts";
import { describeRefusal, MemoryRateCounter } from "../../src/domain/rate-limit.ts";
import { createLogger } from "../../src/observe/log.ts";
import { jobFor } from "../fixtures/queue/jobs.ts";

const NOW = 1_700_000_000_000;
const never = new AbortController().signal;
const CONTENT: Fetched = { kind: "content", bytes: Buffer.from("plain text"), sha256: "0".repeat(64) };

/** A consumer of one backend whose downloads and scans are counted. */
function consumer(parts: Partial<HandlerParts> & { fetched?: Fetched; leftMs?: number } = {}) {
  const { fetched = CONTENT, leftMs = 10_000, ...more } = parts;
  const done = { downloads: 0, scans: 0 };
  const handle = createScanHandler({
    backends: new Map([
      [
        "any",
        {
          description: { name: "any", version: "1.0.0", accepts: {} },
          scan: async () => {
            done.scans++;
            return { kind: "finding", finding: { verdict: "malicious" } };
          },
        },
      ],
    ]),
    source: {
      fetch: async () => {
        done.downloads++;
        return fetched;
      },
      [Symbol.asyncDispose]: async () => {},
    },
    clock: { now: () => instant(NOW) },
    log: createLogger({ level: "silent", format: "json", name: "test" }),
    consumer: "test",
    maxSizeBytes: 1_000,
    ...more,
  });
  const job = () => jobFor("any", "a.txt", { claim: { raw: {} }, deadline: instant(NOW + leftMs) });
  return { done, ask: (signal: AbortSignal = never) => handle(job(), signal) };
}

/** Two scans a minute. */
function twoAMinute(clock = { now: () => instant(NOW) }): NonNullable<HandlerParts["refusedByRate"]> {
  const counter = new MemoryRateCounter(clock);
  const limits = { minute: 2 };
  return async (backend, how) => describeRefusal(await counter.use(backend, limits, how), limits);
}

describe("a job with little time left", () => {
  it.each([
    [2_999, { verdict: "unknown", reason: "expired", detail: "2999 ms are left, a scan wants 3000." }, 0],
    [3_000, { verdict: "malicious" }, 1],
  ])("of %i ms is answered at once, or begun", async (leftMs, answer, downloads) => {
    const { ask, done } = consumer({ leftMs, requiredMs: 3_000 });
    expect(await ask()).toMatchObject(answer);
    expect(done.downloads).toBe(downloads);
  });
});

describe("a job beyond the rate limit", () => {
  it("is answered at once, without a download, and says which limit it is", async () => {
    const { ask, done } = consumer({ refusedByRate: twoAMinute() });
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.map(({ verdict }) => verdict)).toEqual(["malicious", "malicious", "unknown"]);
    expect(answers[2]).toMatchObject({
      reason: "rate-limited",
      detail: "2 a minute are used up; there is room in 40 s",
    });
    expect(done).toEqual({ downloads: 2, scans: 2 });
  });

  it("has not been used up by artifacts that could not be had or that the backend does not take", async () => {
    const refusedByRate = twoAMinute();
    const failing = consumer({ refusedByRate, fetched: { kind: "download-failed", detail: "gone" } });
    for (let time = 0; time < 5; time++) {
      expect(await failing.ask()).toMatchObject({ reason: "download-failed" });
    }
    const { ask } = consumer({ refusedByRate });
    expect([await ask(), await ask()].map(({ verdict }) => verdict)).toEqual(["malicious", "malicious"]);
  });

  it("is found out before the scan when others used the limit up during the download", async () => {
    const asked: string[] = [];
    const { ask, done } = consumer({
      refusedByRate: async (_backend, how) => {
        asked.push(how);
        return how === "take" ? "used up" : undefined;
      },
    });
    expect(await ask()).toMatchObject({ reason: "rate-limited", detail: "used up" });
    expect(asked).toEqual(["peek", "take"]);
    expect(done).toEqual({ downloads: 1, scans: 0 });
  });

  it("lets nothing pass while the limit cannot be checked", () => {
    expect(describeRefusal({ kind: "unknown", why: "Redis is silent" }, { day: 5 })).toBe(
      "the limit cannot be checked: Redis is silent",
    );
  });
});

describe("downloads and scans", () => {
  it("have places of their own: a scan under way does not keep the next artifact from being downloaded", async () => {
    const scanning = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const most = { scans: 0 };
    let scans = 0;
    const { ask, done } = consumer({
      scans: new Semaphore(1),
      backends: new Map([
        [
          "any",
          {
            description: { name: "any", version: "1.0.0", accepts: {} },
            scan: async () => {
              most.scans = Math.max(most.scans, ++scans);
              scanning.resolve();
              await release.promise;
              scans--;
              return { kind: "finding", finding: { verdict: "malicious" } };
            },
          },
        ],
      ]),
    });
    const answers = [ask(), ask(), ask()];
    await scanning.promise;
    expect(done.downloads).toBe(3);
    release.resolve();
    expect((await Promise.all(answers)).map(({ verdict }) => verdict)).toEqual(Array(3).fill("malicious"));
    expect(most.scans).toBe(1);
  });

  it("end with the job's signal when it waits for a scan", async () => {
    const scans = new Semaphore<string>(1);
    using _taken = await scans.enter(never);
    const stop = new AbortController();
    const { ask } = consumer({ scans });
    const answer = ask(stop.signal);
    stop.abort();
    expect(await answer).toMatchObject({ verdict: "unknown", reason: "cancelled" });
  });
});

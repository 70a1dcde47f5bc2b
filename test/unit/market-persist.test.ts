import { beforeEach, describe, expect, it } from "vitest";
import type { Address } from "../../src/domain/address.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { MarketFault } from "../../src/market/onchain/http/answer.ts";
import type { Ask } from "../../src/market/onchain/http/ask.ts";
import { InFlight } from "../../src/market/onchain/http/in-flight.ts";
import { type Attempt, persist } from "../../src/market/onchain/http/persist.ts";
import { RateLimit, transitFault } from "../../src/market/onchain/http/transit-faults.ts";
import { Reads } from "../../src/market/onchain/reads/reads.ts";
import { ModelTime } from "../slow/model-time.ts";

const read: Ask = { what: "it", method: "GET", path: "/it", lane: "read" };

let time: ModelTime;
let inFlight: InFlight;
beforeEach(() => {
  time = new ModelTime();
  inFlight = new InFlight();
});

const asking = <T>(ask: Ask, attempt: Attempt<T>): Promise<T> =>
  persist(ask, attempt, {
    timers: time,
    inFlight,
    pacer: { pass: async () => {}, close: () => {} },
    random: () => 0.5,
    attempts: 4,
    backoffMs: 200,
    pauseMs: 1_000,
    patienceMs: 60_000,
    rateLimit: (what) => new RateLimit(what, undefined, systemClock),
  });

/** A gateway that takes so long for each answer; notes when each request left. */
function answering(latencies: readonly number[]) {
  const left: number[] = [];
  const attempt: Attempt<string> = ({ timeoutMs, signal }) => {
    const latencyMs = latencies[Math.min(left.length, latencies.length - 1)]!;
    left.push(time.now());
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      time.after(timeoutMs, () => reject(transitFault(read, undefined, { timedOut: true })));
      if (Number.isFinite(latencyMs)) time.after(latencyMs, () => resolve(`after ${latencyMs}`));
    });
  };
  return { left, attempt };
}

describe("a question to a gateway", () => {
  it("that takes longer for each answer than is waited at first is answered all the same", async () => {
    const { left, attempt } = answering([35_000]);
    const answer = asking(read, attempt);
    await time.passUntil(200_000);
    await expect(answer).resolves.toBe("after 35000");
    expect(left).toHaveLength(3);
  });

  it("that a reveal waits for is asked once more when it is swallowed, and not called off when it is slow", async () => {
    const swallowed = answering([Number.POSITIVE_INFINITY, 100]);
    const first = asking({ ...read, lane: "reveal", hedgeMs: 3_000 }, swallowed.attempt);
    await time.passUntil(3_200);
    await expect(first).resolves.toBe("after 100");
    const slow = answering([4_000, 4_000]);
    const second = asking({ ...read, lane: "reveal", hedgeMs: 3_000 }, slow.attempt);
    await time.passUntil(3_200 + 4_000);
    await expect(second).resolves.toBe("after 4000");
    expect(slow.left).toHaveLength(2);
    expect(inFlight.count()).toBe(0);
  });

  it("fails as the first one failed when both were lost", async () => {
    const fault = (code: string) =>
      new MarketFault(code, code, { status: 400, reached: "yes", retryable: false });
    let asked = 0;
    const attempt: Attempt<string> = async () => {
      asked++;
      await time.sleep(5_000);
      throw fault(asked === 1 ? "NOBODY" : `MARKET_${asked}`);
    };
    const answer = asking({ ...read, hedgeMs: 1_000, repeatable: false }, attempt);
    answer.catch(() => undefined);
    await time.passUntil(20_000);
    await expect(answer).rejects.toMatchObject({ code: "MARKET_2" });
    expect(inFlight.count()).toBe(0);
  });

  it("gives its slot back whatever becomes of it", async () => {
    const stop = new AbortController();
    const { attempt } = answering([Number.POSITIVE_INFINITY]);
    const answer = asking({ ...read, signal: stop.signal }, attempt);
    answer.catch(() => undefined);
    await time.passUntil(100);
    expect(inFlight.count()).toBe(1);
    stop.abort(new Error("not wanted any more"));
    await expect(answer).rejects.toThrow("not wanted");
    expect(inFlight.count()).toBe(0);
  });

  it("does not wait for lists of assertions that never come, when it is about a reveal", async () => {
    const asker = {
      ask: (ask: Ask) =>
        asking<unknown>(ask, answering([ask.path === "/nonce" ? 100 : Number.POSITIVE_INFINITY]).attempt),
      head: async () => new Uint8Array(),
    };
    const reads = new Reads(asker, "side", "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE" as Address);
    for (let index = 10; index < 50; index++) {
      const guid = parseGuid(`00000000-0000-4000-8000-0000000000${index}`);
      reads.asserted.all(guid, { lane: "reveal" }).catch(() => undefined);
    }
    await time.passUntil(5_000);
    let answered = false;
    void reads.pendingCount().then(
      () => {
        answered = true;
      },
      () => {
        answered = true;
      },
    );
    await time.passUntil(5_200);
    expect(answered).toBe(true);
  });

  it("is not asked for each of thousands of assertions that a list says are ours", async () => {
    const account = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE" as Address;
    const row = { author: account, bid: ["1"], mask: [true], commitment: "7", nonce: "0" };
    let asked = 0;
    const asker = {
      ask: async ({ path }: Ask) => {
        asked++;
        return path.endsWith("/assertions") ? Array.from({ length: 2_000 }, () => row) : row;
      },
      head: async () => new Uint8Array(),
    };
    const guid = parseGuid("00000000-0000-4000-8000-000000000001");
    const listed = await new Reads(asker, "side", account).asserted.all(guid);
    expect([listed.length, listed[0]?.index, listed[1_999]?.index]).toEqual([2_000, 0, 1_999]);
    expect(asked).toBeLessThan(100);
  });

  it("is asked for the newest block without waiting for artifacts that never come", async () => {
    const asker = {
      ask: (ask: Ask) =>
        asking<unknown>(
          ask,
          ask.path === "/status"
            ? async () => ({ side: { block: 7 } })
            : answering([Number.POSITIVE_INFINITY]).attempt,
        ),
      head: async () => new Uint8Array(),
    };
    const reads = new Reads(asker, "side", "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE" as Address);
    for (let index = 0; index < 60; index++) reads.listArtifacts(`Qm${index}`).catch(() => undefined);
    await time.passUntil(1_000);
    let head: number | undefined;
    const asked = reads.blockNumber().then((number) => {
      head = number;
    });
    await time.passUntil(1_100);
    expect(head).toBe(7);
    await asked;
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import type { Ask, Asker } from "../../src/market/onchain/http/ask.ts";
import { InFlight, MAX_LEFT } from "../../src/market/onchain/http/in-flight.ts";
import { persist } from "../../src/market/onchain/http/persist.ts";
import { RateLimit, transitFault } from "../../src/market/onchain/http/transit-faults.ts";
import { Nonces } from "../../src/market/onchain/transactions/nonces.ts";
import { type Posted, postTransaction } from "../../src/market/onchain/transactions/post-transactions.ts";
import { Sender } from "../../src/market/onchain/transactions/sender.ts";
import { createLogger } from "../../src/observe/log.ts";
import type { SignedTransaction } from "../../src/wallet/transaction.ts";
import { ModelTime } from "../slow/model-time.ts";

const random = () => 0.5;
const never = Number.POSITIVE_INFINITY;

let time: ModelTime;
let inFlight: InFlight;
/** How long the gateway takes for each post, in the order of their leaving; the last goes on. */
let latencies: number[];
/** Each post that left: when, and how many transactions it carried. */
let left: { at: number; count: number }[];
/** Posts that were called off. */
let calledOff: number;
let gateway: Asker;

beforeEach(() => {
  time = new ModelTime();
  inFlight = new InFlight();
  latencies = [never];
  left = [];
  calledOff = 0;
  gateway = {
    ask: (ask) =>
      persist(ask, (how) => answer({ ...ask, ...how }), {
        timers: time,
        inFlight,
        pacer: { pass: async () => {}, close: () => {} },
        random,
        attempts: 4,
        backoffMs: 200,
        pauseMs: 1_000,
        patienceMs: 60_000,
        rateLimit: (what) => new RateLimit(what, undefined, systemClock),
      }),
  };
});

function answer(ask: Ask): Promise<unknown> {
  if (ask.path === "/nonce") return Promise.resolve(0n);
  if (ask.path === "/pending") return Promise.resolve([]);
  const { transactions } = ask.body as { readonly transactions: readonly string[] };
  const latencyMs = latencies.length > 1 ? latencies.shift()! : latencies[0]!;
  left.push({ at: time.now(), count: transactions.length });
  return new Promise((resolve, reject) => {
    let answered = false;
    ask.signal?.addEventListener("abort", () => {
      if (!answered) calledOff++;
      reject(ask.signal?.reason);
    });
    time.after(ask.timeoutMs ?? 10_000, () => reject(transitFault(ask, undefined, { timedOut: true })));
    if (Number.isFinite(latencyMs))
      time.after(latencyMs, () => {
        answered = true;
        resolve(transactions.map(() => ({ is_error: false, message: "0x" })));
      });
  });
}

const signed = (number: number): SignedTransaction => ({
  raw: `raw-${number}`,
  hash: `0x${number}`,
  nonce: BigInt(number),
});
const options = () => ({ lane: "reveal", random, timers: time }) as const;

/** Milliseconds until a reveal's post has a slot. */
async function waitForSlot(): Promise<number> {
  const from = time.now();
  let enteredAt: number | undefined;
  void inFlight.enter("reveal", "reveal", undefined).then((leave) => {
    enteredAt = time.now();
    leave();
  });
  await time.passUntil(from + 70_000, () => enteredAt !== undefined);
  return (enteredAt ?? never) - from;
}

describe("posts that are swallowed", () => {
  it("give their slots back when nothing waits for them any more: forty reveals at once do not keep the next from leaving", async () => {
    for (let number = 0; number < 40; number++) void postTransaction(gateway, signed(number), options());
    await time.passUntil(6_000);
    expect(await waitForSlot()).toBe(0);
    expect(inFlight.count()).toBeLessThanOrEqual(MAX_LEFT);
  });

  it("go on in a small number, the newest of them, and are over after a minute", async () => {
    for (let number = 0; number < 40; number++) void postTransaction(gateway, signed(number), options());
    await time.passUntil(6_000);
    expect(inFlight.count()).toBe(MAX_LEFT);
    expect(left.length - calledOff).toBe(MAX_LEFT);
    await time.passUntil(120_000);
    expect(inFlight.count()).toBe(0);
  });
});

it("a post that is only slow is not called off, and its late answer is told", async () => {
  latencies = [20_000];
  const late: (readonly Posted[])[] = [];
  const posted = postTransaction(gateway, signed(1), { ...options(), onLate: (told) => late.push(told) });
  await time.passUntil(6_000);
  await expect(posted).resolves.toMatchObject({ kind: "lost" });
  expect([inFlight.count(), late]).toEqual([2, []]);
  await time.passUntil(21_000);
  expect(late).toEqual([[{ kind: "accepted" }]]);
  expect([inFlight.count(), calledOff]).toEqual([0, 1]);
});

describe("what may be lost", () => {
  const openSender = () =>
    new Sender({
      gateway,
      random,
      timers: time,
      log: createLogger({ level: "silent", format: "json", name: "it" }),
      signer: {
        address: "0x63046FD3FBCe76196914C3021B30c09CEB2f4F03" as never,
        sign: async () => [signed(1_000)],
      },
      nonces: new Nonces({ pendingCount: async () => 0n, pool: async () => [] }),
    });
  const alone = { signal: undefined, onLate: () => {} };

  it("is posted again in the turn of first posts, ten in a request, and keeps a new reveal waiting for one such turn at most", async () => {
    const sender = openSender();
    for (let number = 0; number < 40; number++) void sender.postLost(signed(number), "reveal", alone);
    await time.passUntil(100);
    const action = { kind: "settle", guid: "00000000-0000-4000-8000-000000000001" } as never;
    const journalled: number[] = [];
    void sender.send({ action, path: "", lane: "reveal", journal: () => void journalled.push(time.now()) }, [
      {} as never,
    ]);
    await time.passUntil(60_000);
    // The first has its turn at once and is asked for twice, the second in company; then the new one.
    const again = left.filter(({ count }) => count > 1);
    expect(again.map(({ count }) => count)).toEqual([10, 10, 10, 9]);
    expect(journalled).toHaveLength(1);
    // One request of those that may be lost, and the one that was under way.
    expect(journalled[0]).toBeGreaterThan(again[0]!.at);
    expect(journalled[0]).toBeLessThan(again[1]!.at);
  });

  it("is left out when nothing waits for it by its turn", async () => {
    const sender = openSender();
    void sender.postLost(signed(1), "reveal", alone);
    const gone = new AbortController();
    const posted = sender.postLost(signed(2), "reveal", { ...alone, signal: gone.signal });
    gone.abort();
    await time.passUntil(10_000);
    await expect(posted).resolves.toMatchObject({ kind: "lost" });
    expect(left.every(({ count }) => count === 1)).toBe(true);
  });
});

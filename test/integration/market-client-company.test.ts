import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import type { Marketplace, Outcome } from "../../src/market/onchain/port/marketplace.ts";
import type { SignedTransaction } from "../../src/wallet/transaction.ts";
import { type Asked, type Deed, type OddGateway, refusal, transactionOf } from "./odd-gateway.ts";
import {
  nodeSays,
  noJournal,
  type OddMarket,
  openOddMarket,
  readable,
  requestFor,
  SETTLE,
} from "./odd-market.ts";

const POST = "POST /transactions";

let odd: OddMarket;
let gateway: OddGateway;
let market: Marketplace;

beforeEach(async () => {
  odd = await openOddMarket();
  ({ gateway, market } = odd);
});
afterEach(() => odd[Symbol.asyncDispose]());

const rawsOf = ({ body }: Asked) => (body as { transactions: string[] }).transactions;
const guids = (count: number): readonly Guid[] =>
  Array.from({ length: count }, (_, index) => uintToGuid(BigInt(index + 1)));
const settle = (guid: Guid) => market.settle(guid, noJournal);
const nonceOf = (raw: string) => Number(transactionOf(raw).nonce);
const sizes = () => gateway.requests(POST).map((asked) => rawsOf(asked).length);

/**
 * Settles one bounty, and all the others meanwhile: the first request with transactions is held back until they are built
 * and wait for their turn. The requests that follow are answered by `deeds` in turn, then honestly.
 */
async function settleTogether(
  others: readonly Guid[],
  ...deeds: readonly ((asked: Asked) => Deed)[]
): Promise<readonly Outcome<unknown>[]> {
  const waiting = Promise.withResolvers<void>();
  gateway.once(
    POST,
    async (asked) => {
      await waiting.promise;
      return accept(rawsOf(asked));
    },
    ...deeds,
  );
  const first = settle(uintToGuid(999n));
  await gateway.arrival(POST);
  const settling = others.map(settle);
  const built = () => gateway.asked.filter(({ path }) => path.endsWith("/settle")).length;
  while (built() <= others.length) await gateway.arrival(`POST /bounties/${others.at(-1)}/settle`);
  // What was asked before this has its answer before it.
  await market.quorumReached(others[0]!).catch(noJournal);
  waiting.resolve();
  await first;
  return Promise.all(settling);
}

const accept = (raws: readonly string[]): Deed => ({
  result: raws.map((raw) => ({ is_error: false, message: gateway.take(raw) })),
});

/** Takes all but those whose place is named, each with what the node has against it. */
const allBut =
  (complaints: Readonly<Record<number, string>>) =>
  (asked: Asked): Deed => {
    const errors = rawsOf(asked).map((raw, index) => {
      const message = complaints[index];
      return message === undefined
        ? { is_error: false, message: gateway.take(raw) }
        : { is_error: true, message: `Invalid transaction error for tx 0xab: {'message': '${message}'}` };
    });
    return refusal(400, { status: "FAIL", errors });
  };

describe("transactions that wait at the same time", () => {
  it("go to the gateway ten at a time, in nonce order", async () => {
    const outcomes = await settleTogether(guids(24));
    expect(outcomes.map(({ kind }) => kind)).toEqual(guids(24).map(() => "done"));
    expect(sizes()).toEqual([1, 10, 10, 4]);
    expect(readable(gateway.posted)).toEqual(Array.from({ length: 25 }, (_, nonce) => `${nonce} ${SETTLE}`));
  });

  it("are done but for the one that the node refuses, whose nonce the next signature takes", async () => {
    const outcomes = await settleTogether(guids(5), allBut({ 2: "insufficient funds" }));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "failed", "done", "done"]);
    // 0 was the first of all; the gap is where the node begins to count.
    gateway.nonce = 3n;
    gateway.on("GET /pending", { result: ["4", "5"] });
    expect(await settle(guids(3)[2]!)).toMatchObject({ kind: "done" });
    expect(gateway.posted.map(nonceOf)).toEqual([0, 1, 2, 4, 5, 3]);
  });

  it("leave no gap when the node refuses the last ones", async () => {
    const outcomes = await settleTogether(guids(4), allBut({ 2: "no funds", 3: "no funds" }));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "failed", "failed"]);
    expect(await settle(guids(3)[2]!)).toMatchObject({ kind: "done" });
    expect(gateway.posted.map(nonceOf)).toEqual([0, 1, 2, 3]);
  });

  it("are signed anew, each once, when their nonces were used by others", async () => {
    const outcomes = await settleTogether(guids(3), (asked) => {
      gateway.nonce = 41n;
      return allBut({ 0: "nonce too low", 1: "nonce too low", 2: "nonce too low" })(asked);
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(gateway.posted.map(nonceOf)).toEqual([0, 41, 42, 43]);
  });

  it.each([
    [
      "takes one at a time",
      refusal(403, { status: "FAIL", errors: "Posting multiple transactions requires an API key" }),
    ],
    ["finds one that it cannot read", nodeSays("rlp: expected List")],
  ])("are posted one by one to a gateway that %s", async (_what, answer) => {
    const outcomes = await settleTogether(guids(3), () => answer);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(sizes()).toEqual([1, 3, 1, 1, 1]);
    expect(gateway.posted.map(nonceOf)).toEqual([0, 1, 2, 3]);
  });

  it("that got lost in transit are posted again byte for byte", async () => {
    const seen: (readonly string[])[] = [];
    const swallow = (asked: Asked): Deed => {
      seen.push(rawsOf(asked));
      return "reset";
    };
    const outcomes = await settleTogether(guids(3), swallow, swallow);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(seen).toEqual([gateway.posted.slice(1), gateway.posted.slice(1)]);
  });

  it("are not called refused when they may have arrived the first time", async () => {
    const outcomes = await settleTogether(
      guids(3),
      (asked) => {
        accept(rawsOf(asked));
        return "reset";
      },
      () => refusal(413, { message: "Payload too large" }),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(gateway.posted.map(nonceOf)).toEqual([0, 1, 2, 3]);
  });

  it("do not wait for one that cannot be journalled, nor leave its nonce free between them", async () => {
    const waiting = Promise.withResolvers<void>();
    gateway.once(POST, async (asked) => {
      await waiting.promise;
      return accept(rawsOf(asked));
    });
    const first = settle(uintToGuid(999n));
    await gateway.arrival(POST);
    const [a, b, c] = guids(3);
    const full = () => Promise.reject(new Error("disk full"));
    const settling = Promise.allSettled([settle(a!), market.settle(b!, full), settle(c!)]);
    while (gateway.asked.filter(({ path }) => path.endsWith("/settle")).length < 4)
      await gateway.arrival(`POST /bounties/${c}/settle`);
    await market.quorumReached(a!).catch(noJournal);
    waiting.resolve();
    await first;
    expect((await settling).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(gateway.posted.map(nonceOf)).toEqual([0, 1, 2]);
  });

  it("are handed over together after a restart, an assertion after its approval", async () => {
    const left: (readonly SignedTransaction[])[] = [];
    const journal = (signed: readonly SignedTransaction[]) => void left.push(signed);
    for (const guid of guids(12)) await market.settle(guid, journal);
    gateway.on(`GET /bounties/${guids(1)[0]}/assertions`, { result: [] });
    await market.assert(requestFor(guids(1)[0]!), journal);
    await market.settle(guids(13)[12]!, journal);
    gateway.asked.splice(0);
    gateway.posted.splice(0);
    expect(await market.resendAll(() => left.toReversed())).toBe(14);
    expect(sizes()).toEqual([10, 2, 1, 1, 1]);
    expect(gateway.posted).toEqual(left.flat().map(({ raw }) => raw));
  });
});

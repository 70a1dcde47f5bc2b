import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../../src/domain/address.ts";
import { parseGuid, uintToGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import { callsFor, encodeCall } from "../../src/wallet/calldata.ts";
import { checkTransactions, SIDE_CHAIN_POLICY, type SigningPolicy } from "../../src/wallet/policy.ts";
import type { Action, UnsignedTransaction } from "../../src/wallet/transaction.ts";
import vectors from "../fixtures/protocol/transactions.json" with { type: "json" };

const registry = parseAddress(vectors.registry);
const token = parseAddress(vectors.token);
const pinned: SigningPolicy = { ...SIDE_CHAIN_POLICY, pins: { chainId: 1337n, registry, token } };
const guid = parseGuid(vectors.guid);

/** What an honest gateway hands over. */
const honest = (action: Action): UnsignedTransaction[] =>
  callsFor(action, registry).map((call) => ({
    nonce: 0n,
    chainId: 1337n,
    gas: 50_000_000n,
    gasPrice: 0n,
    to: call.recipient === "token" ? token : registry,
    value: 0n,
    data: encodeCall(call),
  }));

const word = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const anyGuid = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(uintToGuid);
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("assert" as const),
    guid: anyGuid,
    bids: fc.array(fc.bigInt({ min: 1n, max: 10n ** 18n }).map(nct), { minLength: 1, maxLength: 8 }),
    mask: word,
    commitment: word,
    fee: fc.bigInt({ min: 0n, max: 10n ** 17n }).map(nct),
  }),
  fc.record({
    kind: fc.constant("reveal" as const),
    guid: anyGuid,
    index: fc.nat(),
    nonce: word,
    verdicts: word,
    metadata: fc.string({ maxLength: 100, unit: "grapheme" }),
  }),
  fc.record({ kind: fc.constant("settle" as const), guid: anyGuid }),
);

const otherAddress = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}` as Address);

/** One field of one transaction made different from what it was. */
const anyMutation: fc.Arbitrary<(transaction: UnsignedTransaction) => UnsignedTransaction> = fc.oneof(
  otherAddress.map((to) => (t: UnsignedTransaction) => ({ ...t, to })),
  fc.bigInt({ min: 1n, max: 2n ** 64n }).map((value) => (t: UnsignedTransaction) => ({ ...t, value })),
  fc.bigInt({ min: -9n, max: 10n ** 6n }).map((n) => (t: UnsignedTransaction) => ({ ...t, chainId: n })),
  fc.bigInt({ min: -5n, max: 20_999n }).map((gas) => (t: UnsignedTransaction) => ({ ...t, gas })),
  fc
    .bigInt({ min: 1n, max: 2n ** 70n })
    .map((price) => (t: UnsignedTransaction) => ({ ...t, gasPrice: price })),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 15 })).map(([at, flip]) => (t: UnsignedTransaction) => {
    const place = 2 + (at % (t.data.length - 2));
    const digit = (Number.parseInt(t.data[place]!, 16) ^ flip).toString(16);
    return { ...t, data: `${t.data.slice(0, place)}${digit}${t.data.slice(place + 1)}` };
  }),
  fc.nat(70).map((cut) => (t: UnsignedTransaction) => ({ ...t, data: t.data.slice(0, -1 - cut) })),
  fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => (t: UnsignedTransaction) => ({
    ...t,
    data: t.data + Buffer.from(more).toString("hex"),
  })),
  fc.string().map((data) => (t: UnsignedTransaction) => ({ ...t, data })),
);

const refusal = (action: Action, transactions: readonly UnsignedTransaction[], policy = pinned): string => {
  try {
    checkTransactions(action, transactions, policy);
  } catch (error) {
    expect(error).toMatchObject({ code: "TRANSACTION_REFUSED" });
    return (error as Error).message;
  }
  return expect.fail("it would have been signed");
};

describe("the signing policy", () => {
  it("accepts what an honest gateway hands over, for any action", () => {
    fc.assert(
      fc.property(anyAction, (action) => {
        expect(checkTransactions(action, honest(action), pinned)).toEqual(pinned.pins);
      }),
    );
  });

  it("encodes calls as the published examples do", () => {
    const assert: Action = {
      kind: "assert",
      guid,
      bids: [nct(10n ** 18n), nct(531250000000000000n)],
      mask: 5n,
      commitment: 41858823515709770275456305386038469104272066898356396537577255862292579792862n,
      fee: nct(31250000000000000n),
    };
    const metadata = "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6";
    const reveal: Action = { kind: "reveal", guid, index: 4, nonce: 1n, verdicts: 5n, metadata };
    const encoded = [assert, reveal, { kind: "settle", guid } as const].flatMap((action) =>
      callsFor(action, registry).map((call) => [call.name, encodeCall(call)]),
    );
    expect(Object.fromEntries(encoded)).toEqual(vectors.calls);
  });

  it("signs none of 10,000 transactions with one field altered", () => {
    fc.assert(
      fc.property(anyAction, anyMutation, fc.nat(1), (action, mutate, which) => {
        const transactions = honest(action);
        const at = which % transactions.length;
        const altered = transactions.map((transaction, index) =>
          index === at ? mutate(transaction) : transaction,
        );
        fc.pre(JSON.stringify(altered, text) !== JSON.stringify(transactions, text));
        expect(refusal(action, altered)).toMatch(/^Refused to sign/);
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ["too few", (all: UnsignedTransaction[]) => all.slice(1)],
    ["too many", (all: UnsignedTransaction[]) => [...all, all[0]!]],
    ["none", () => []],
    ["swapped", (all: UnsignedTransaction[]) => all.toReversed()],
  ])("refuses %s transactions", (_name, change) => {
    const action: Action = {
      kind: "assert",
      guid,
      bids: [nct(5n)],
      mask: 1n,
      commitment: 7n,
      fee: nct(1n),
    };
    expect(refusal(action, change(honest(action)))).toMatch(/transactions instead of 2|approve/);
  });

  it("says in words what differed", () => {
    const action: Action = {
      kind: "assert",
      guid,
      bids: [nct(5n)],
      mask: 1n,
      commitment: 7n,
      fee: nct(1n),
    };
    const dearer = honest({ ...action, bids: [nct(6n)] });
    expect(refusal(action, dearer)).toContain(
      "approve: amount is 7 instead of 6; postAssertion: bid[0] is 6 instead of 5",
    );
    const [approve, post] = honest(action);
    expect(refusal(action, [approve!, { ...post!, data: `${post!.data}00` }])).toContain("1 bytes trail");
    expect(refusal(action, [{ ...approve!, chainId: 1n }, post!])).toContain("chain id is 1 instead of 1337");
  });

  it("learns chain, registry and token from a consistent first pair", () => {
    const action: Action = {
      kind: "assert",
      guid,
      bids: [nct(5n)],
      mask: 1n,
      commitment: 7n,
      fee: nct(1n),
    };
    expect(checkTransactions(action, honest(action), SIDE_CHAIN_POLICY)).toEqual(pinned.pins);
  });

  it("refuses a first pair whose spender is not the contract that is called", () => {
    const action: Action = {
      kind: "assert",
      guid,
      bids: [nct(5n)],
      mask: 1n,
      commitment: 7n,
      fee: nct(1n),
    };
    const [approve, post] = honest(action);
    const elsewhere = { ...post!, to: parseAddress(`0x${"22".repeat(20)}`) };
    expect(refusal(action, [approve!, elsewhere], SIDE_CHAIN_POLICY)).toContain("spender is");
    expect(refusal(action, [{ ...approve!, to: registry }, post!], SIDE_CHAIN_POLICY)).toContain(
      "same contract",
    );
    expect(refusal(action, [{ ...approve!, chainId: 2n }, post!], SIDE_CHAIN_POLICY)).toContain("chain id");
  });
});

const text = (_key: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);

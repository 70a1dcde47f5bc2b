import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Address } from "../../src/domain/address.ts";
import { countBits } from "../../src/domain/bits.ts";
import { uintToGuid } from "../../src/domain/guid.ts";
import type { Nct } from "../../src/domain/nct.ts";
import type { ArbiterVote, PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import { mostPayable, payoutOwed } from "../../src/market/onchain/settlement/steps/payout.ts";
import { ARBITERS, argsOf, type Market, NCT, nct, openMarket } from "../fixtures/contracts/market.ts";

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market[Symbol.asyncDispose]());
beforeEach(() => market.goBack());

const GUID = 1n;

/** The arbiter list starts full; the first so many stay on it. */
async function keepArbiters(count: number): Promise<readonly Address[]> {
  for (const account of market.arbiters.slice(count))
    await market.act(market.deployer, "removeArbiter", [account, 0n]);
  return market.arbiters.slice(0, count);
}

const vote = (from: Address, votes: bigint) => market.act(from, "voteOnBounty", [GUID, votes, true]);

describe("quorum", () => {
  it.each([
    { arbiters: 1, malicious: 1, benign: 1 },
    { arbiters: 2, malicious: 1, benign: 2 },
    { arbiters: 3, malicious: 2, benign: 2 },
    { arbiters: 4, malicious: 2, benign: 3 },
    { arbiters: 5, malicious: 3, benign: 3 },
    { arbiters: 6, malicious: 3, benign: 4 },
    { arbiters: 7, malicious: 4, benign: 4 },
  ])("of $arbiters arbiters takes $malicious malicious or $benign benign votes", async (row) => {
    const voters = await keepArbiters(row.arbiters);
    const open = await market.post(GUID);
    await market.post(2n);
    await market.nextBlock(open + 12);
    const needed = async (guid: bigint, votes: bigint): Promise<number> => {
      for (const [index, voter] of voters.entries()) {
        const { logs } = await market.act(voter, "voteOnBounty", [guid, votes, true]);
        if (argsOf(logs, "QuorumReached") !== undefined) return index + 1;
      }
      return Number.POSITIVE_INFINITY;
    };
    expect({ ...row, malicious: await needed(GUID, 1n), benign: await needed(2n, 0n) }).toEqual(row);
  });

  it("is announced before the vote that made it, and remembers its distance from the expiration", async () => {
    const voters = await keepArbiters(3);
    const open = await market.post(GUID, { artifacts: 2, amount: 4n * NCT });
    await market.nextBlock(open + 30);
    await vote(voters[0]!, 0b01n);
    await vote(voters[1]!, 0b11n);
    expect(await market.read("bountiesByGuid", [GUID])).toMatchObject({ 8: false, 9: 0n, 10: 0b01n });
    expect(await market.read("getCurrentRound", [GUID])).toBe(2n);
    const { logs, block } = await vote(voters[2]!, 0b00n);
    expect(logs.filter(({ contract }) => contract === "registry").map(({ event }) => event)).toEqual([
      "QuorumReached",
      "NewVote",
    ]);
    expect(await market.read("bountiesByGuid", [GUID])).toMatchObject({ 8: true, 9: BigInt(block - open) });
    expect(await market.read("getCurrentRound", [GUID])).toBe(3n);
    // Artifact 0 was decided by two votes; artifact 1 needed all three.
    expect(await market.read("quorumVotesByGuid", [GUID, 0n])).toBe(2n);
    expect(await market.read("quorumVotesByGuid", [GUID, 1n])).toBe(1n);
  });

  it("still takes the votes that come after it", async () => {
    const voters = await keepArbiters(3);
    const open = await market.post(GUID);
    await market.nextBlock(open + 10);
    for (const voter of voters) await vote(voter, 1n);
    expect(await market.read("getNumberOfVotes", [GUID])).toBe(3n);
    expect(await market.read("quorumVotesByGuid", [GUID, 0n])).toBe(2n);
  });
});

interface Stance {
  readonly mask: bigint;
  readonly bids: readonly (string | bigint)[];
  readonly verdicts: bigint;
  readonly silent?: boolean;
}

interface Case {
  readonly name: string;
  /** NCT, or base units where it is a bigint. */
  readonly amount: string | bigint;
  readonly artifacts: number;
  readonly experts: readonly Stance[];
  readonly votes: readonly bigint[];
  /** On the arbiter list; as many as vote unless told otherwise. */
  readonly arbiters?: number;
  readonly payouts: {
    readonly ambassador: string | bigint;
    readonly experts: readonly (string | bigint)[];
    readonly arbiter: string | bigint;
    readonly left?: string | bigint;
  };
}

const units = (amount: string | bigint): bigint => (typeof amount === "bigint" ? amount : nct(amount));

const CASES: readonly Case[] = [
  {
    name: "the worked example of two artifacts and four experts",
    amount: "5",
    artifacts: 2,
    experts: [
      { mask: 0b11n, bids: ["1", "0.5"], verdicts: 0b01n },
      { mask: 0b01n, bids: ["0.25"], verdicts: 0b00n },
      { mask: 0b10n, bids: ["0.75"], verdicts: 0b00n },
      { mask: 0b11n, bids: ["0.5", "0.0625"], verdicts: 0b01n, silent: true },
    ],
    votes: [1n, 1n, 1n],
    payouts: { ambassador: "0", experts: ["5.775", "0", "2.2875", "0"], arbiter: "0.1875" },
  },
  {
    name: "nobody voting on two artifacts",
    amount: "5",
    artifacts: 2,
    experts: [
      { mask: 0b11n, bids: ["1", "0.5"], verdicts: 0b01n },
      { mask: 0b01n, bids: ["0.25"], verdicts: 0b01n, silent: true },
    ],
    votes: [],
    payouts: { ambassador: "0.0625", experts: ["4.03125", "1.53125"], arbiter: "0", left: "1.25" },
  },
  {
    name: "nobody voting, and an amount that three do not divide",
    amount: "2",
    artifacts: 1,
    experts: ["1", "0.5", "0.25"].map((bid) => ({ mask: 1n, bids: [bid], verdicts: 1n })),
    votes: [],
    payouts: {
      ambassador: "0.0625",
      experts: [1697916666666666666n, 1197916666666666666n, 947916666666666666n],
      arbiter: "0",
      left: 2n,
    },
  },
  {
    name: "neither assertions nor votes",
    amount: "5",
    artifacts: 2,
    experts: [],
    votes: [],
    payouts: { ambassador: "5.0625", experts: [], arbiter: "0" },
  },
  {
    name: "votes without assertions",
    amount: "5",
    artifacts: 2,
    experts: [],
    votes: [1n, 1n],
    payouts: { ambassador: "5", experts: [], arbiter: "0.0625" },
  },
  {
    name: "the only expert wrong on everything",
    amount: "5",
    artifacts: 2,
    experts: [{ mask: 0b11n, bids: ["1", "0.5"], verdicts: 0b10n }],
    votes: [1n, 1n],
    payouts: { ambassador: "0", experts: ["0"], arbiter: "6.59375" },
  },
  {
    name: "an artifact that nobody spoke about",
    amount: "5",
    artifacts: 2,
    experts: [{ mask: 0b01n, bids: ["1"], verdicts: 0b01n }],
    votes: [1n, 1n],
    payouts: { ambassador: "2.5", experts: ["3.5"], arbiter: "0.09375" },
  },
  {
    name: "a bid beyond the last artifact",
    amount: "2",
    artifacts: 1,
    experts: [{ mask: 0b11n, bids: ["1", "0.5"], verdicts: 0b01n }],
    votes: [1n, 1n],
    payouts: { ambassador: "0", experts: ["3"], arbiter: "0.59375" },
  },
  {
    name: "a tie of the votes, which is malicious",
    amount: "2",
    artifacts: 1,
    experts: [
      { mask: 1n, bids: ["1"], verdicts: 1n },
      { mask: 1n, bids: ["1"], verdicts: 0n },
    ],
    votes: [1n, 0n],
    arbiters: 4,
    payouts: { ambassador: "0", experts: ["4", "0"], arbiter: "0.125" },
  },
  {
    name: "amounts and bids that nothing divides",
    amount: 7n * NCT + 1n,
    artifacts: 3,
    experts: [
      { mask: 7n, bids: ["0.3", "0.3", "0.3"], verdicts: 5n },
      { mask: 7n, bids: ["0.7", "0.1", "0.2"], verdicts: 5n },
      { mask: 2n, bids: ["0.9"], verdicts: 2n },
    ],
    votes: [5n, 5n],
    payouts: {
      ambassador: "0",
      experts: [5424999999999999997n, 4374999999999999999n, 0n],
      arbiter: 156250000000000005n,
    },
  },
];

/** Plays a bounty to its end; every participant settles in round 4. */
async function play({ amount, artifacts, experts, votes, arbiters = votes.length }: Case) {
  const accounts = market.experts.slice(0, experts.length);
  await keepArbiters(arbiters === 0 ? ARBITERS : arbiters);
  const open = await market.post(GUID, { amount: units(amount), artifacts });
  for (const [index, { mask, bids, verdicts }] of experts.entries()) {
    await market.assert(accounts[index]!, GUID, bids.map(units), mask, verdicts);
  }
  await market.nextBlock(open);
  for (const [index, { verdicts, silent }] of experts.entries()) {
    if (silent !== true) await market.reveal(accounts[index]!, GUID, index, verdicts);
  }
  await market.nextBlock(open + 10);
  for (const [index, votesCast] of votes.entries()) await vote(market.arbiters[index]!, votesCast);
  await market.nextBlock(open + 110);
  return { open, accounts };
}

/** One bid per bit of the mask. */
const unpackBids = (mask: bigint, bid: bigint): bigint[] => Array(countBits(mask)).fill(bid);

/** Settles and returns the payout, which the balance must confirm. */
async function settle(account: Address): Promise<bigint> {
  const before = (await market.read("balanceOf", [account], "token")) as bigint;
  const { logs } = await market.act(account, "settleBounty", [GUID]);
  const after = (await market.read("balanceOf", [account], "token")) as bigint;
  expect(argsOf(logs, "SettledBounty")).toMatchObject({ settler: account, payout: after - before });
  return after - before;
}

/** What our own sum over the contract's assertions and votes says that an expert is owed. */
async function owedTo(account: Address, { amount, artifacts }: Pick<Case, "amount" | "artifacts">) {
  const assertions: PostedAssertion[] = [];
  const count = Number(await market.read("getNumberOfAssertions", [GUID]));
  for (let index = 0; index < count; index++) {
    const [author, mask, commitment, nonce, verdicts] = Object.values(
      (await market.read("assertionsByGuid", [GUID, BigInt(index)])) as object,
    ) as [Address, bigint, bigint, bigint, bigint];
    const bids = (await market.read("getBids", [GUID, BigInt(index)])) as Nct[];
    const revealed = nonce !== 0n;
    const shown = { guid: uintToGuid(GUID), index, author, mask, commitment, bids, revealed };
    assertions.push({ ...shown, ...(revealed ? { verdicts } : {}) });
  }
  const votes: ArbiterVote[] = [];
  const voted = Number(await market.read("getNumberOfVotes", [GUID]));
  for (let index = 0; index < voted; index++) {
    const [voter, cast] = Object.values((await market.read("votesByGuid", [GUID, BigInt(index)])) as object);
    votes.push({ voter, votes: cast });
  }
  const assertionFee = (await market.read("assertionFee", [])) as Nct;
  const terms = { amount: units(amount) as Nct, artifactCount: artifacts, assertionFee };
  const owed = payoutOwed(terms, assertions, votes, account);
  const bids = assertions.find(({ author }) => author === account)?.bids ?? [];
  const own = { account, bids, fee: assertionFee };
  return { owed, most: mostPayable(terms, assertions, own) };
}

const registryBalance = () => market.read("balanceOf", [market.chain.contracts.registry.address], "token");

describe("settlement", () => {
  it.each(CASES)("pays $name to the last base unit", async (example) => {
    const { accounts } = await play(example);
    const paid: bigint[] = [];
    for (const account of accounts) {
      const { owed, most } = await owedTo(account, example);
      paid.push(await settle(account));
      expect(owed).toBe(paid.at(-1));
      expect(most).toBeGreaterThanOrEqual(paid.at(-1)!);
    }
    const ambassador = await settle(market.ambassador);
    let arbiter = 0n;
    for (const account of market.arbiters.slice(0, example.votes.length)) arbiter += await settle(account);
    expect({ ambassador, experts: paid, arbiter, left: await registryBalance() }).toEqual({
      ambassador: units(example.payouts.ambassador),
      experts: example.payouts.experts.map(units),
      arbiter: units(example.payouts.arbiter),
      left: units(example.payouts.left ?? 0n),
    });
  });

  it("pays out everything that was escrowed, whatever was bid and said, once there are votes", async () => {
    const stance = fc.record({
      mask: fc.bigInt({ min: 0n, max: 7n }),
      verdicts: fc.bigInt({ min: 0n, max: 7n }),
      bid: fc.bigInt({ min: nct("0.0625"), max: NCT }),
      silent: fc.boolean(),
    });
    const doings = fc.record({
      amount: fc.bigInt({ min: 6n * NCT, max: 9n * NCT }),
      stances: fc.array(stance, { minLength: 1, maxLength: 4 }),
      votes: fc.array(fc.bigInt({ min: 0n, max: 7n }), { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(doings, async ({ amount, stances, votes }) => {
        await market.goBack();
        const experts = stances.map(({ bid, ...rest }) => ({ ...rest, bids: unpackBids(rest.mask, bid) }));
        const played: Case = { ...CASES[0]!, amount, artifacts: 3, experts, votes };
        const { accounts } = await play(played);
        const owed = await Promise.all(accounts.map(async (account) => (await owedTo(account, played)).owed));
        for (const [index, account] of accounts.entries()) expect(await settle(account)).toBe(owed[index]);
        const voters = market.arbiters.slice(0, votes.length);
        for (const account of [market.ambassador, ...voters]) await settle(account);
        expect(await registryBalance()).toBe(0n);
      }),
      { numRuns: 10 },
    );
  });

  it("draws one arbiter among those who voted and staked, and pays no other", async () => {
    await play({ ...CASES[0]!, votes: [1n, 1n, 1n], arbiters: 3 });
    const shares: bigint[] = [];
    for (const account of market.arbiters.slice(0, 3)) shares.push(await settle(account));
    expect(shares.filter((share) => share > 0n)).toEqual([nct("0.1875")]);
    const bounty = (await market.read("bountiesByGuid", [GUID])) as readonly unknown[];
    expect(bounty[7]).toBe(market.arbiters[shares.findIndex((share) => share > 0n)]);
  });

  it("leaves what nobody voted on to the first arbiter that asks 257 blocks after the vote window", async () => {
    const { open } = await play(CASES[1]!);
    const [early, late, last] = market.arbiters as [Address, Address, Address];
    await market.nextBlock(open + 110 + 256);
    expect(await settle(early)).toBe(0n);
    for (const account of market.experts.slice(0, 2)) await settle(account);
    await settle(market.ambassador);
    expect(await settle(late)).toBe(nct("1.25"));
    expect(await settle(last)).toBe(0n);
    expect(await registryBalance()).toBe(0n);
  });

  it("cannot draw among voters without stake while the lot decides", async () => {
    const [pauper] = market.experts as [Address];
    await market.act(market.deployer, "addArbiter", [pauper, 0n]);
    const open = await market.post(GUID);
    await market.nextBlock(open + 10);
    await vote(pauper, 1n);
    await market.nextBlock(open + 111);
    expect(await market.refusal(pauper, "settleBounty", [GUID])).toBe("invalid opcode");
    await market.nextBlock(open + 110 + 257);
    expect(await settle(pauper)).toBe(nct("0.0625"));
  });

  it("pays by the fees of the day: the arbiter gets more or less, the experts the same", async () => {
    const { accounts } = await play(CASES[0]!);
    const { logs } = await market.act(market.deployer, "setAssertionFee", [0n]);
    expect(argsOf(logs, "FeesUpdated")).toEqual({ bountyFee: nct("0.0625"), assertionFee: 0n });
    expect(await settle(accounts[0]!)).toBe(nct("5.775"));
    let arbiter = 0n;
    for (const account of market.arbiters.slice(0, 3)) arbiter += await settle(account);
    expect(arbiter).toBe(nct("0.0625"));
  });

  it("pays experts early once there is quorum, the same as at the end", async () => {
    const [expert] = market.experts as [Address];
    const open = await market.post(GUID);
    await market.assert(expert, GUID, [NCT], 1n, 1n);
    await market.nextBlock(open);
    await market.reveal(expert, GUID, 0, 1n);
    await market.nextBlock(open + 10);
    for (const voter of market.arbiters.slice(0, 4)) await vote(voter, 1n);
    expect(await settle(expert)).toBe(nct("3"));
    expect(await market.chain.head()).toBeLessThan(open + 110);
  });

  it("of a full bounty of 256 artifacts fits a transaction of the gateway's size", async () => {
    const all = 2n ** 256n - 1n;
    const bids = Array.from({ length: 256 }, () => NCT);
    const [right, wrong] = market.experts as [Address, Address];
    const open = await market.post(GUID, { artifacts: 256, amount: 512n * NCT });
    await market.assert(right, GUID, bids, all, all);
    await market.assert(wrong, GUID, bids, all, 0n);
    await market.nextBlock(open);
    await market.reveal(right, GUID, 0, all);
    await market.reveal(wrong, GUID, 1, 0n);
    await market.nextBlock(open + 10);
    for (const voter of market.arbiters.slice(0, 4)) await vote(voter, all);
    expect(await settle(right)).toBe(nct("1024"));
  });
});

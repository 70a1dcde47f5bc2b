import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Address, isAddress } from "../../src/domain/address.ts";
import { commit } from "../../src/sandbox/content/commitment.ts";
import { argsOf, type Market, NCT, NONCE, nct, openMarket, postArgs } from "../fixtures/contracts/market.ts";
import vectors from "../fixtures/protocol/commitments.json" with { type: "json" };

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market[Symbol.asyncDispose]());
beforeEach(() => market.goBack());

const GUID = 80330234067865764159686112168623574687n;
const UNKNOWN = 404n;
// One published vector has a 256-bit value for an account; no transaction can come from it.
const onAddresses = vectors.filter((vector) => isAddress(vector.account));

/** One way to break a call: which argument, what value, and the text that it is refused with. */
type Violation = readonly [position: number, value: unknown, reason: string];

/** Breaks a call in every listed way at once, then mends one after the other: the refusal must follow the order. */
async function expectOrder(
  from: Address,
  fn: string,
  good: readonly unknown[],
  violations: readonly Violation[],
): Promise<void> {
  for (const [index, [, , reason]] of violations.entries()) {
    const args = [...good];
    // Backwards, so that the check expected to speak first has the last word on a shared argument.
    for (const [position, value] of violations.slice(index).reverse()) args[position] = value;
    expect(await market.refusal(from, fn, args), `violation ${index} of ${fn}`).toBe(reason);
  }
}

describe("posting a bounty", () => {
  it("is refused by the first check that fails, in the order of the protocol", async () => {
    await market.post(1n);
    await expectOrder(market.ambassador, "postBounty", postArgs(2n), [
      [0, 1n, "GUID already in use"],
      [3, "", "Invalid artifact parameters"],
      [4, 0n, "Invalid artifact parameters"],
      [1, 2n, "Invalid artifact parameters"],
      [4, 257n, "Invalid artifact parameters"],
      [5, 0n, "Invalid bounty duration"],
      [5, 101n, "Invalid bounty duration"],
      [2, 2n * NCT - 1n, "Amount below minimum for number of artifacts"],
      [2, 2_000_000n * NCT, ""],
    ]);
  });

  it("needs allowance and balance for amount and fee, and says nothing when they lack", async () => {
    const { token, registry } = market.chain.contracts;
    const exact = 2n * NCT + nct("0.0625");
    for (const [allowed, accepted] of [
      [exact - 1n, false],
      [exact, true],
    ] as const) {
      await market.chain.send(market.ambassador, token, "approve", [registry.address, allowed]);
      const posting = market.act(market.ambassador, "postBounty", postArgs(3n));
      if (accepted) await expect(posting).resolves.toBeDefined();
      else await expect(posting).rejects.toMatchObject({ reason: "" });
    }
  });

  it("takes GUID 0, both types, 256 artifacts and 1 to 100 blocks, and tells everybody", async () => {
    const { block, logs } = await market.act(market.ambassador, "postBounty", postArgs(0n));
    expect(argsOf(logs, "NewBounty")).toEqual({
      guid: 0n,
      artifactType: 0n,
      author: market.ambassador,
      amount: 2n * NCT,
      artifactURI: "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
      expirationBlock: BigInt(block + 20),
      metadata: "",
    });
    await market.post(5n, { artifacts: 256, amount: 512n * NCT, duration: 100 });
    await market.post(6n, { duration: 1 });
    await market.act(market.ambassador, "postBounty", postArgs(7n).with(1, 1n));
    expect(await market.read("bountiesByGuid", [7n])).toMatchObject({ 1: 1n });
  });

  it("is the only thing that deprecation stops", async () => {
    await market.act(market.ambassador, "postBounty", postArgs(1n));
    await market.act(market.deployer, "deprecate", [true]);
    expect(await market.refusal(market.ambassador, "postBounty", postArgs(2n))).toBe("");
    await market.assert(market.experts[0]!, 1n, [NCT], 1n, 1n);
    await market.act(market.deployer, "undeprecate");
    await market.post(2n);
  });
});

describe("asserting", () => {
  const args = (guid: bigint) => [guid, [NCT], 1n, 5n];

  it("is refused by the first check that fails, in the order of the protocol", async () => {
    const [first, second] = market.experts as [Address, Address];
    const open = await market.post(1n);
    await market.assert(first, 1n, [NCT], 1n, 1n);
    await expectOrder(first, "postAssertion", args(1n), [
      [0, UNKNOWN, "Bounty not initialized"],
      [1, [NCT, 1n], "Bid does not match mask count"],
      [1, [NCT + 1n], "Sender has already asserted"],
    ]);
    for (const bid of [NCT + 1n, nct("0.0625") - 1n]) {
      expect(await market.refusal(second, "postAssertion", args(1n).with(1, [bid]))).toBe(
        "Bid not between min & max",
      );
    }
    await market.nextBlock(open);
    await expect(market.act(first, "postAssertion", args(1n).with(1, []))).rejects.toMatchObject({
      reason: "Bounty inactive",
    });
  });

  it("needs allowance for the bids and the fee, and says nothing when it lacks", async () => {
    const [expert] = market.experts as [Address];
    await market.post(1n);
    const { token, registry } = market.chain.contracts;
    await market.chain.send(expert, token, "approve", [registry.address, nct("1.03125") - 1n]);
    expect(await market.refusal(expert, "postAssertion", args(1n))).toBe("");
    await market.chain.send(expert, token, "approve", [registry.address, nct("1.03125")]);
    await market.act(expert, "postAssertion", args(1n));
  });

  it("takes bids at both limits, an empty mask, and bits beyond the artifacts", async () => {
    await market.post(1n);
    const [a, b, c] = market.experts as [Address, Address, Address];
    const { logs } = await market.assert(a, 1n, [nct("0.0625"), NCT], (1n << 255n) | 1n, 1n);
    expect(argsOf(logs, "NewAssertion")).toEqual({
      bountyGuid: 1n,
      author: a,
      index: 0n,
      bid: [nct("0.0625"), NCT],
      mask: (1n << 255n) | 1n,
      numArtifacts: 1n,
      commitment: commit(a, 1n, NONCE),
    });
    await market.assert(b, 1n, [], 0n, 0n);
    await market.assert(c, 1n, [NCT], 1n, 0n);
    expect(await market.read("getNumberOfAssertions", [1n])).toBe(3n);
    expect(await market.read("getBids", [1n, 0n])).toEqual([nct("0.0625"), NCT]);
    expect(await market.read("getBids", [1n, 1n])).toEqual([]);
  });
});

describe("revealing", () => {
  it("is refused by the first check that fails, in the order of the protocol", async () => {
    const [first, second] = market.experts as [Address, Address];
    const open = await market.post(1n);
    await market.assert(first, 1n, [NCT], 1n, 1n);
    await market.assert(second, 1n, [NCT], 1n, 1n);
    const good = [1n, 0n, NONCE, 1n, ""];
    expect(await market.refusal(first, "revealAssertion", good.with(0, UNKNOWN))).toBe(
      "Bounty not initialized",
    );
    expect(await market.refusal(first, "revealAssertion", good.with(2, 0n))).toBe(
      "Bounty not in reveal window",
    );
    await market.nextBlock(open + 1);
    await expectOrder(first, "revealAssertion", good, [
      [0, UNKNOWN, "Bounty not initialized"],
      [2, 0n, "Invalid nonce"],
      [1, 2n, "Invalid assertion ID"],
      [1, 1n, "Incorrect assertion author"],
      [3, 0n, "Commitment hash mismatch"],
    ]);
    await market.reveal(first, 1n, 0, 1n);
    expect(await market.refusal(first, "revealAssertion", good.with(3, 0n))).toBe("Bounty already revealed");
  });

  it.each(onAddresses)(
    "accepts commitment vector $vector, and not with one verdict bit flipped",
    async (vector) => {
      const account = vector.account as Address;
      const [verdicts, nonce] = [BigInt(vector.verdicts), BigInt(vector.nonce)];
      await market.chain.rpc("anvil_impersonateAccount", [account]);
      await market.act(market.deployer, "mint", [account, 10n * NCT], "token");
      await market.act(account, "approve", [market.chain.contracts.registry.address, 10n * NCT], "token");
      const open = await market.post(GUID);
      await market.act(account, "postAssertion", [GUID, [NCT], 1n, BigInt(vector.commitment)]);
      await market.nextBlock(open);
      const args = (bits: bigint) => [GUID, 0n, nonce, bits, "meta"];
      await expect(market.act(account, "revealAssertion", args(verdicts ^ 1n))).rejects.toMatchObject({
        reason: "Commitment hash mismatch",
      });
      const { logs } = await market.act(account, "revealAssertion", args(verdicts));
      expect(argsOf(logs, "RevealedAssertion")).toEqual({
        bountyGuid: GUID,
        author: account,
        index: 0n,
        nonce,
        verdicts,
        numArtifacts: 1n,
        metadata: "meta",
      });
      expect(await market.read("assertionsByGuid", [GUID, 0n])).toEqual([
        ...[account, 1n, BigInt(vector.commitment), nonce, verdicts, "meta"],
      ]);
    },
  );
});

describe("voting and settling", () => {
  it("refuses a vote by the first check that fails, in the order of the protocol", async () => {
    const [arbiter, other] = market.arbiters as [Address, Address];
    const open = await market.post(1n);
    expect(await market.refusal(market.ambassador, "voteOnBounty", [UNKNOWN, 1n, true])).toBe("");
    expect(await market.refusal(arbiter, "voteOnBounty", [UNKNOWN, 1n, true])).toBe("Bounty not initialized");
    expect(await market.refusal(arbiter, "voteOnBounty", [1n, 1n, true])).toBe("Bounty not in voting window");
    await market.nextBlock(open + 10);
    const { logs } = await market.act(arbiter, "voteOnBounty", [1n, 1n, true]);
    expect(argsOf(logs, "NewVote")).toEqual({ bountyGuid: 1n, votes: 1n, numArtifacts: 1n, voter: arbiter });
    expect(await market.refusal(arbiter, "voteOnBounty", [1n, 1n, true])).toBe("Arbiter has already voted");
    await market.nextBlock(open + 110);
    await expect(market.act(other, "voteOnBounty", [1n, 1n, true])).rejects.toMatchObject({
      reason: "Bounty not in voting window",
    });
  });

  it("refuses a settlement by the first check that fails, and makes arbiters wait for the end", async () => {
    const [arbiter] = market.arbiters as [Address];
    const [stranger] = market.experts as [Address];
    const open = await market.post(1n);
    expect(await market.refusal(stranger, "settleBounty", [UNKNOWN])).toBe("Bounty not initialized");
    expect(await market.refusal(arbiter, "settleBounty", [1n])).toBe("No Quorum and vote active");
    await market.nextBlock(open + 10);
    for (const voter of market.arbiters.slice(0, 4)) await market.act(voter, "voteOnBounty", [1n, 1n, true]);
    expect(await market.refusal(arbiter, "settleBounty", [1n])).toBe("Voting round still active");
    const { logs } = await market.act(stranger, "settleBounty", [1n]);
    expect(argsOf(logs, "SettledBounty")).toEqual({ bountyGuid: 1n, settler: stranger, payout: 0n });
    expect(argsOf(logs, "Transfer")).toBeUndefined();
    expect(await market.refusal(stranger, "settleBounty", [1n])).toBe("Sender already settled");
    await market.nextBlock(open + 110);
    await market.act(arbiter, "settleBounty", [1n]);
    expect(await market.read("bountySettled", [1n, arbiter])).toBe(true);
  });
});

describe("rounds", () => {
  it("of a bounty posted in block 1000 for 20 blocks turn where the protocol says", async () => {
    await market.nextBlock(1000);
    expect(await market.post(1n)).toBe(1020);
    const rounds: Record<number, unknown> = {};
    for (const block of [1019, 1020, 1029, 1030, 1129, 1130]) {
      await market.nextBlock(block + 1);
      rounds[block] = await market.read("getCurrentRound", [1n]);
    }
    expect(rounds).toEqual({ 1019: 0n, 1020: 1n, 1029: 1n, 1030: 2n, 1129: 2n, 1130: 4n });
  });

  it("accept a transaction in their first and last block and refuse it one block aside", async () => {
    const [expert, late] = market.experts as [Address, Address];
    const [arbiter, other] = market.arbiters as [Address, Address];
    const guid = 1n;
    const reason = (text: string) => ({ reason: text });
    const open = await market.post(guid);
    await market.nextBlock(open - 2);
    await market.assert(expert, guid, [NCT], 1n, 1n);
    await expect(market.reveal(expert, guid, 0, 1n)).rejects.toMatchObject(
      reason("Bounty not in reveal window"),
    );
    await expect(market.assert(late, guid, [NCT], 1n, 1n)).rejects.toMatchObject(reason("Bounty inactive"));
    await market.nextBlock(open + 9);
    await market.reveal(expert, guid, 0, 1n);
    await market.act(arbiter, "voteOnBounty", [guid, 1n, true]);
    expect(await market.chain.head()).toBe(open + 10);
    await market.nextBlock(open + 109);
    await market.act(other, "voteOnBounty", [guid, 1n, true]);
    await market.act(arbiter, "settleBounty", [guid]);
    expect(await market.chain.head()).toBe(open + 110);
  });

  it("follow the windows as they are now, also for bounties in flight", async () => {
    const open = await market.post(1n);
    await market.nextBlock(open + 11);
    expect(await market.read("getCurrentRound", [1n])).toBe(2n);
    const { logs } = await market.act(market.deployer, "setWindows", [50n, 60n]);
    expect(argsOf(logs, "WindowsUpdated")).toEqual({ assertionRevealWindow: 50n, arbiterVoteWindow: 60n });
    expect(await market.read("getCurrentRound", [1n])).toBe(1n);
    await market.act(market.deployer, "setWindows", [1n, 1n]);
    expect(await market.read("getCurrentRound", [1n])).toBe(4n);
  });
});

describe("a pause", () => {
  it("refuses everything that changes a bounty, without a reason, before any other check", async () => {
    const [arbiter] = market.arbiters as [Address];
    const [expert] = market.experts as [Address];
    await market.act(market.deployer, "pause");
    const calls = [
      [expert, "postBounty", postArgs(1n)],
      [expert, "postAssertion", [UNKNOWN, [], 1n, 1n]],
      [expert, "revealAssertion", [UNKNOWN, 0n, 0n, 0n, ""]],
      [arbiter, "voteOnBounty", [UNKNOWN, 0n, true]],
      [expert, "settleBounty", [UNKNOWN]],
    ] as const;
    for (const [from, fn, args] of calls) expect(await market.refusal(from, fn, args), fn).toBe("");
    await market.act(market.deployer, "unpause");
    await market.post(1n);
  });
});

describe("views", () => {
  it("answer for bounties that are not there as the protocol says", async () => {
    const [anyone] = market.experts as [Address];
    const nobody = "0x0000000000000000000000000000000000000000";
    expect(await market.refusal(anyone, "getCurrentRound", [UNKNOWN])).toBe("Bounty not initialized");
    expect(await market.read("bountiesByGuid", [UNKNOWN])).toEqual([
      ...[0n, 0n, nobody, 0n, "", 0n, 0n, nobody, false, 0n, 0n, ""],
    ]);
    expect(await market.refusal(anyone, "assertionsByGuid", [UNKNOWN, 0n])).toBe("invalid opcode");
    await market.post(1n);
    expect(await market.refusal(anyone, "getBids", [1n, 0n])).toBe("invalid opcode");
    expect(await market.refusal(anyone, "getBids", [1n, 1n])).toBe("");
  });

  it("page the GUIDs by 25, oldest first, and end with an empty page", async () => {
    for (let guid = 0n; guid < 26n; guid++) await market.post(guid);
    expect(await market.read("getBountyGuids", [0n])).toEqual(
      Array.from({ length: 25 }, (_, i) => BigInt(i)),
    );
    expect(await market.read("getBountyGuids", [1n])).toEqual([25n]);
    expect(await market.read("getBountyGuids", [2n])).toEqual([]);
    expect(await market.read("getNumberOfBounties")).toBe(26n);
  });

  it("keep the filter's words in the order they came, and know who asserted and voted", async () => {
    const [expert] = market.experts as [Address];
    const [arbiter] = market.arbiters as [Address];
    const open = await market.post(1n);
    expect(await market.read("bloomByGuid", [1n, 0n])).toBe(8n);
    expect(await market.read("bloomByGuid", [1n, 7n])).toBe(1n);
    await market.assert(expert, 1n, [NCT], 1n, 1n);
    await market.nextBlock(open + 10);
    await market.act(arbiter, "voteOnBounty", [1n, 3n, false]);
    expect(await market.read("expertAssertionRegistryByGuid", [1n, expert])).toBe(true);
    expect(await market.read("arbiterVoteRegistryByGuid", [1n, arbiter])).toBe(true);
    expect(await market.read("votesByGuid", [1n, 0n])).toEqual([arbiter, 3n, false]);
    expect(await market.read("getVoters", [1n])).toEqual([arbiter]);
    expect(await market.read("assertionBidByGuid", [1n, 0n, 0n])).toBe(NCT);
    expect(await market.refusal(arbiter, "assertionBidByGuid", [1n, 0n, 1n])).toBe("invalid opcode");
    expect(await market.refusal(arbiter, "assertionBidByGuid", [1n, 1n, 0n])).toBe("invalid opcode");
    expect(await market.refusal(arbiter, "getBids", [1n, 1n])).toBe("invalid opcode");
    expect(await market.refusal(arbiter, "getBids", [2n, 0n])).toBe("");
    expect(await market.read("voteCountByGuid", [1n, 3n])).toBe(0n);
    expect(await market.read("getArbiterCandidates")).toEqual([market.ambassador]);
    expect(await market.read("getActiveArbiters")).toEqual([[], []]);
  });

  it("name the busiest ambassador first, and let the last of the others move up into its place", async () => {
    const [first, second, third] = market.experts as [Address, Address, Address];
    const posted = [first, first, second, third, market.ambassador, market.ambassador, market.ambassador];
    for (const [guid, from] of posted.entries()) await market.act(from, "postBounty", postArgs(BigInt(guid)));
    expect(await market.read("getArbiterCandidates")).toEqual([market.ambassador, first, second, third]);
  });

  it("publish the constants of the protocol", async () => {
    const constants = {
      BOUNTY_AMOUNT_MINIMUM: 2000000000000000000n,
      ASSERTION_BID_ARTIFACT_MINIMUM: 62500000000000000n,
      ASSERTION_BID_ARTIFACT_MAXIMUM: 1000000000000000000n,
      DEFAULT_BOUNTY_FEE: 62500000000000000n,
      DEFAULT_ASSERTION_FEE: 31250000000000000n,
      bountyFee: 62500000000000000n,
      assertionFee: 31250000000000000n,
      MAX_DURATION: 100n,
      VALID_HASH_PERIOD: 256n,
      PAGE_SIZE: 25n,
      ARBITER_LOOKBACK_RANGE: 100n,
      assertionRevealWindow: 10n,
      arbiterVoteWindow: 100n,
      arbiterCount: 7n,
      VERSION: "1.6.1",
    };
    for (const [name, value] of Object.entries(constants)) expect(await market.read(name), name).toBe(value);
  });
});

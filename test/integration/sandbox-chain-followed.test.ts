import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { uintToGuid } from "../../src/domain/guid.ts";
import { followBounties } from "../../src/sandbox/players/bounties-on-chain.ts";
import { type Market, NCT, openMarket } from "../fixtures/contracts/market.ts";

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market[Symbol.asyncDispose]());
beforeEach(() => market.goBack());

const vote = async (voters: number): Promise<void> => {
  for (const arbiter of market.arbiters.slice(0, voters)) {
    await market.act(arbiter, "voteOnBounty", [1n, 1n, true]);
  }
};

describe("the bounties that players follow", () => {
  it("knows a bounty by what the registry says, under the same object for as long as it is open", async () => {
    const followed = followBounties(market.chain);
    const expiration = await market.post(1n, { artifacts: 3, amount: 6n * NCT });
    await followed.advance(await market.chain.head());
    const [bounty] = followed.open();
    expect(bounty).toEqual({
      guid: uintToGuid(1n),
      author: market.ambassador,
      kind: "file",
      uri: "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
      artifactCount: 3,
      expiration,
      quorum: false,
    });
    await market.post(2n);
    await followed.advance(await market.chain.head());
    expect(followed.open()[0]).toBe(bounty);
    expect(followed.open()).toHaveLength(2);
  });

  it("tells the round that the next block will find, also when blocks were left out", async () => {
    const followed = followBounties(market.chain);
    const open = await market.post(1n);
    const rounds: string[] = [];
    for (const block of [open - 2, open - 1, open + 9, open + 109]) {
      await market.nextBlock(block + 1);
      await followed.advance(block);
      rounds.push(...followed.open().map(followed.round));
    }
    expect(rounds).toEqual(["assert", "reveal", "vote", "over"]);
  });

  it("hears of a quorum, whether it reads the vote alone or together with the bounty", async () => {
    const before = followBounties(market.chain);
    const open = await market.post(1n);
    await before.advance(open - 20);
    await market.nextBlock(open + 11);
    await vote(4);
    const after = followBounties(market.chain);
    for (const followed of [before, after]) {
      await followed.advance(await market.chain.head());
      expect(followed.open().map(followed.round)).toEqual(["quorum"]);
    }
  });

  it("follows a change of the windows", async () => {
    const followed = followBounties(market.chain);
    const open = await market.post(1n);
    await market.nextBlock(open + 11);
    await followed.advance(open + 10);
    expect(followed.open().map(followed.round)).toEqual(["vote"]);
    await market.act(market.deployer, "setWindows", [50n, 60n]);
    await followed.advance(await market.chain.head());
    expect(followed.open().map(followed.round)).toEqual(["reveal"]);
  });

  it("forgets a bounty a thousand blocks after its vote window", async () => {
    const followed = followBounties(market.chain);
    const open = await market.post(1n);
    await followed.advance(open);
    await market.nextBlock(open + 1112);
    await followed.advance(open + 1110);
    expect(followed.open()).toHaveLength(1);
    await followed.advance(open + 1111);
    expect(followed.open()).toEqual([]);
  });
});

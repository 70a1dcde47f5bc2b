import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type OpenBounties, openBounties } from "../fixtures/open-bounties.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD } from "./market.ts";

const OPEN: OpenBounties = { posting: 10, asserted: 530, unpublished: 10, revealing: 10, revealed: 240 };
const COUNT = Object.values(OPEN).reduce((sum, count) => sum + count, 0);

it(`a producer with ${COUNT} open bounties in its ledger is ready, and answers a new bounty, without signing anything twice`, async () => {
  using folder = temporaryFolder();
  await using market = await openMarket(folder.path, {
    blockTimeMs: 1_000,
    revealWindow: 10_000,
    voteWindow: 10_000,
    arbiters: 0,
    rivals: 0,
  });
  mkdirSync(join(folder.path, "data"), { mode: 0o700 });
  await openBounties(market, join(folder.path, "data", "ledger.sqlite"), OPEN, {
    shortBlocks: 10,
    longBlocks: 100,
    blockSeconds: 1,
  });
  const before = await deedsOnChain(market);
  await using producer = new EngineProcess([...producerFlags(market.url, folder.path), "--embedded", "1"]);
  const [resumed] = await producer.told("producer.resumed");
  expect(resumed).toMatchObject({ promised: COUNT, unpromised: 0 });
  await producer.told("producer.ready");
  const guid = await market.postBounty({ contents: [EICAR], truth: [true], duration: 60, reward: REWARD });
  await producer.told("assertion.posted", 1, (entry) => entry.guid === guid);
  // Those on the way had arrived.
  await producer.told("assertion.posted", OPEN.posting, (entry) => entry.guid !== guid);
  await producer.told("assertion.revealed", OPEN.revealing);
  expect(await deedsOnChain(market)).toEqual({ ...before, asserted: before.asserted! + 1 });
});

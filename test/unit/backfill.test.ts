import { describe, expect, it } from "vitest";
import type { Bounty } from "../../src/domain/bounty.ts";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { Backfill } from "../../src/producer/discovery/backfill.ts";
import { aBounty } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";

const clock = { now: () => instant(1_000) };
const guidOf = (index: number) =>
  parseGuid(`00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`);

/** A market whose bounty `n` expires in `expires[n]`, or fails when asked for. At most 100 blocks lie in between. */
function openBackfill(
  expires: readonly (number | "fails" | "unknown")[],
  ledger = openLedger(":memory:", clock),
) {
  const market = new HandMarket();
  const asked: number[] = [];
  const list = [...expires];
  const post = (expiration: number) => {
    market.posted.push(guidOf(list.push(expiration) - 1));
  };
  market.posted = list.map((_, index) => guidOf(index));
  market.bounty = async (guid): Promise<Bounty | null> => {
    const index = market.posted.indexOf(guid);
    asked.push(index);
    const expiration = list[index];
    if (expiration === "fails") throw new Error("Internal Server Error");
    if (expiration === "unknown" || expiration === undefined) return null;
    return aBounty({ guid, expiration: block(expiration) });
  };
  const told: [string, object][] = [];
  const taken: number[] = [];
  const working = new Set<Guid>();
  const inWork = {
    has: (guid: Guid) => working.has(guid),
    full: () => working.size > 2,
    hasNoAddress: () => false,
    take(bounty: Bounty) {
      if (seen.refuses() !== undefined || limiter.paused() !== undefined) return false;
      taken.push(market.posted.indexOf(bounty.guid));
      return ledger.see(bounty);
    },
  };
  let losses: "stop-loss" | undefined;
  const limiter = { paused: () => losses };
  const seen = onchainMarket(market, { ledger, clock, tell: () => {} });
  const tell = (event: string, facts: object) => void told.push([event, facts]);
  const backfill = new Backfill({ market: seen, list: seen.list, ledger, clock, inWork, limiter, tell });
  const cursor = () => ledger.note("side", "examined");
  const settled = (count: number) => expect.poll(cursor).toBe(String(count));
  const lose = (why: typeof losses) => {
    losses = why;
  };
  return { lose, market, ledger, list, post, asked, told, taken, working, backfill, cursor, settled };
}

const names = (told: readonly [string, object][]) => told.map(([event]) => event);

describe("the backfill", () => {
  it("hands over what is open when it begins, the newest first, and asks for nothing that is certainly closed", async () => {
    // The head is 1000: a transaction is mined in 1001 at the earliest. Bounty 99 was posted before 901.
    const old = Array.from({ length: 100 }, (_, index) => 700 + 2 * index);
    const { backfill, asked, taken, told, settled } = openBackfill([...old, 1_000, 1_002, 1_001, 1_090]);
    backfill.begin();
    await settled(104);
    expect(taken).toEqual([103, 101]);
    expect(told).toEqual([
      ["bounty.backfilled", { guid: guidOf(103), answerWithinMs: 88_000 }],
      ["bounty.backfilled", { guid: guidOf(101), answerWithinMs: 0 }],
    ]);
    expect(Math.min(...asked)).toBeGreaterThan(90);
    await backfill.stop();
  });

  it("asks seldom for a bounty that the gateway fails at for ever", async () => {
    const { backfill, market, asked } = openBackfill(["fails"]);
    backfill.begin();
    for (let block = 1_001; block <= 1_095; block++) {
      await market.mine(block);
      await market.mine(block);
    }
    await backfill.stop();
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.length).toBeLessThan(12);
  });

  it("hands over what was open while there was no room for it once there is", async () => {
    const { backfill, market, working, taken, asked, settled } = openBackfill([1_090, 1_095]);
    let pages = 0;
    const read = market.bountyPage.bind(market);
    market.bountyPage = async (page) => {
      pages++;
      return read(page);
    };
    for (const other of [901, 902, 903]) working.add(guidOf(other));
    backfill.begin();
    await expect.poll(() => pages).toBeGreaterThan(0);
    expect([taken, asked]).toEqual([[], []]);
    working.clear();
    await market.mine(1_005);
    await settled(2);
    expect(taken).toEqual([1, 0]);
    await backfill.stop();
  });

  it("goes on looking every five blocks after the marketplace named one block that is far ahead", async () => {
    const { backfill, market, settled, post, taken } = openBackfill([]);
    market.fresh = async () => 5_000_000;
    backfill.begin();
    await expect.poll(() => market.asked.length >= 0).toBe(true);
    await market.mine(1_001);
    market.fresh = async () => market.head();
    post(1_080);
    for (let number = 1_002; number <= 1_012; number++) await market.mine(number);
    await settled(1);
    expect(taken).toEqual([0]);
    await backfill.stop();
  });

  it("finds a bounty that is open behind many that were posted later and are closed", async () => {
    const brief = Array.from({ length: 20 }, (_, index) => 980 + index);
    const { backfill, taken, settled } = openBackfill([1_060, ...brief]);
    backfill.begin();
    await settled(21);
    expect(taken).toEqual([0]);
    await backfill.stop();
  });

  it("goes on from where an earlier run was, and asks for no bounty that it or the ledger knows", async () => {
    const first = openBackfill([1_050, 1_060]);
    first.backfill.begin();
    await first.settled(2);
    await first.backfill.stop();
    const later = openBackfill([1_050, 1_060, 1_070], first.ledger);
    later.backfill.begin();
    await later.settled(3);
    await later.backfill.stop();
    expect(later.taken).toEqual([2]);
    expect(later.asked).toEqual([2]);
  });

  it("looks after a reconnect, after a gap in the blocks and every five blocks", async () => {
    const { backfill, market, post, taken, settled } = openBackfill([1_050]);
    backfill.begin();
    await settled(1);
    post(1_060);
    market.tell("connected");
    await settled(2);
    post(1_061);
    await market.mine(1_001);
    await market.mine(1_003);
    await settled(3);
    for (let at = 1_004; at < 1_008; at++) await market.mine(at);
    post(1_062);
    await market.mine(1_008);
    await settled(4);
    expect(taken).toEqual([0, 1, 2, 3]);
    await backfill.stop();
  });

  it("comes back to a bounty that cannot be asked for, told once, and does not let it stand in the way of others", async () => {
    const { backfill, market, list, taken, told, settled } = openBackfill([1_050, "fails", 1_060]);
    backfill.begin();
    await settled(1);
    expect(taken).toEqual([2, 0]);
    await market.mine(1_001);
    list[1] = "unknown";
    await market.mine(1_002);
    list[1] = 1_055;
    // A node that did not know it is no trouble: it is asked again in its turn.
    for (let at = 1_003; at < 1_009; at++) await market.mine(at);
    await settled(3);
    expect(taken).toEqual([2, 0, 1]);
    expect(names(told).filter((name) => name === "backfill.delayed")).toHaveLength(1);
    await backfill.stop();
  });

  it("lets go of a bounty that can never be asked for once it is certainly closed", async () => {
    const { backfill, market, asked, settled } = openBackfill(["fails"]);
    backfill.begin();
    await expect.poll(() => asked.length).toBe(1);
    await market.mine(1_001);
    await market.mine(1_099);
    await settled(1);
    const before = asked.length;
    await market.mine(1_110);
    await market.mine(1_120);
    expect(asked.length).toBe(before);
    await backfill.stop();
  });

  it("keeps its place before a bounty that is in work and not written down yet", async () => {
    const { backfill, market, ledger, working, cursor, settled, asked } = openBackfill([1_050, 1_060]);
    working.add(guidOf(1));
    backfill.begin();
    await settled(1);
    expect(asked).toEqual([0]);
    working.delete(guidOf(1));
    ledger.see(aBounty({ guid: guidOf(1), expiration: block(1_060) }));
    market.tell("connected");
    await settled(2);
    expect(asked).toEqual([0]);
    expect(cursor()).toBe("2");
    await backfill.stop();
  });

  it("leaves a bounty to its event when that comes while it is asked for, and keeps its place before it", async () => {
    const { backfill, market, ledger, working, taken, told, settled } = openBackfill([1_050, 1_060]);
    const ask = market.bounty;
    market.bounty = async (guid) => {
      if (guid === guidOf(1)) working.add(guid);
      return ask(guid);
    };
    backfill.begin();
    await settled(1);
    ledger.see(aBounty({ guid: guidOf(1), expiration: block(1_060) }));
    market.tell("connected");
    await settled(2);
    expect(taken).toEqual([0]);
    expect(names(told)).toEqual(["bounty.backfilled"]);
    await backfill.stop();
  });

  it("tries a list that cannot be read again at the next block, and tells of it once", async () => {
    const { backfill, market, told, taken, settled } = openBackfill([1_050]);
    const read = market.bountyPage.bind(market);
    let asked = 0;
    market.bountyPage = async () => {
      asked++;
      throw new Error("Bad Gateway");
    };
    backfill.begin();
    await expect.poll(() => asked).toBe(1);
    await market.mine(1_001);
    await market.mine(1_002);
    expect(asked).toBe(3);
    market.bountyPage = read;
    await market.mine(1_003);
    await settled(1);
    expect(taken).toEqual([0]);
    expect(names(told)).toEqual(["backfill.delayed", "bounty.backfilled"]);
    await backfill.stop();
  });

  it("comes back to what was left alone while the registry was deprecated, and is still open", async () => {
    const { backfill, market, taken, told, settled, post } = openBackfill([1_020, 1_050]);
    market.tell("deprecated", { rollover: false, since: block(960) });
    backfill.begin();
    await settled(2);
    expect([taken, told]).toEqual([[], []]);
    // It can only have been posted in 961 or later.
    post(1_061);
    market.tell("connected");
    await settled(3);
    market.tell("connected");
    await expect.poll(() => taken).toEqual([2, 1, 0]);
    await backfill.stop();
  });

  it("comes back to what was left alone while losses were too high, and is still open", async () => {
    const { backfill, market, taken, settled, lose } = openBackfill([1_020, 1_050]);
    lose("stop-loss");
    backfill.begin();
    await settled(2);
    expect(taken).toEqual([]);
    lose(undefined);
    market.tell("connected");
    await expect.poll(() => taken).toEqual([1, 0]);
    await backfill.stop();
  });

  it("judges by the newest block that the marketplace names, not by the last one heard of", async () => {
    const { backfill, market, taken, settled } = openBackfill([1_050, 1_060]);
    market.freshHead = async () => block(1_055);
    backfill.begin();
    await settled(2);
    expect(taken).toEqual([1]);
    await backfill.stop();
  });
});

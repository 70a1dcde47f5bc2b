import { expect, it } from "vitest";
import type { Bounty } from "../../src/domain/bounty.ts";
import { Fault } from "../../src/domain/fault.ts";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import { openLostStakeSearch, type Waiting } from "../../src/market/onchain/recovery/lost-stake-search.ts";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import { aBounty, aPlan, noticeOf, signed, someParameters } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const NONCE = 4711n;
const clock = { now: () => instant(5_000) };
const guidOf = (index: number): Guid =>
  parseGuid(`00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);

/** Bounties in the order of posting, and what our account said of each, if anything; the newest block is 1000. */
class LostMarket extends HandMarket {
  readonly bounties = new Map<Guid, Bounty>();
  readonly ours = new Map<Guid, PostedAssertion>();
  readonly looked: Guid[] = [];
  /** Asked before each answer about assertions. */
  hindrance: (guid: Guid) => unknown = () => undefined;

  post(expiration: number, verdicts?: bigint, more: Partial<PostedAssertion> = {}): Guid {
    const guid = guidOf(this.posted.length);
    this.posted.push(guid);
    this.bounties.set(guid, aBounty({ guid, expiration: block(expiration) }));
    if (verdicts === undefined) return guid;
    const one = nct(ONE_NCT);
    this.ours.set(guid, {
      guid,
      author: this.account,
      index: 0,
      bids: [one, one],
      mask: 0b11n,
      revealed: false,
      commitment: commitment(this.account, verdicts, NONCE),
      ...more,
    });
    return guid;
  }
  override async bounty(guid: Guid): Promise<Bounty | null> {
    return this.bounties.get(guid) ?? null;
  }
  override async assertions(guid?: Guid): Promise<readonly PostedAssertion[]> {
    this.looked.push(guid!);
    await this.hindrance(guid!);
    const ours = this.ours.get(guid!);
    return ours === undefined ? [] : [ours];
  }
}

function scene(market = new LostMarket(), ledger = openLedger(":memory:", clock)) {
  market.mined = 7n;
  const told: (readonly [string, object])[] = [];
  const taken: Guid[] = [];
  const heard: Guid[] = [];
  const doors: string[] = [];
  const stop = new AbortController();
  const patience = Promise.withResolvers<void>();
  const open = () =>
    openLostStakeSearch(
      {
        recovery: {
          market,
          ledger,
          clock,
          tries: 1_000,
          version: "1.2.3",
          tell: (event, facts) => told.push([event, facts]),
          nonceFor: () => NONCE,
          instantOf: (number) => instant(number),
          rescan: async () => undefined,
        },
        duties: { take: async (guid) => void taken.push(guid) },
        patience: () => patience.promise,
        pause: async () => {},
      },
      stop.signal,
    );
  const begin = async () => {
    const lostStakes = (await open())!;
    const waiting: Waiting = {
      has: () => false,
      hear: ({ guid, postedIn }) => {
        if (!lostStakes.keeps({ ...noticeOf(market.bounties.get(guid)!), postedIn })) heard.push(guid);
      },
      release: () => doors.push("released"),
      open: () => doors.push("open"),
    };
    const hear = (guid: Guid, postedIn: number | undefined): void =>
      waiting.hear({
        ...noticeOf(market.bounties.get(guid)!),
        postedIn: postedIn === undefined ? undefined : block(postedIn),
      });
    return { lostStakes, hear, running: lostStakes.run(waiting, stop.signal) };
  };
  const state = (guid: Guid) => ledger.find({ market: "side", guid })?.state;
  const note = () => ledger.note("side", "salvage")?.split(" ")[0];
  const events = () => told.map(([event]) => event);
  return {
    market,
    ledger,
    told,
    taken,
    heard,
    doors,
    stop,
    open,
    begin,
    state,
    note,
    events,
    runOutOfPatience: async () => {
      patience.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const unreadable = () => Promise.reject(new Fault("MARKET_ANSWER_UNREADABLE", "It makes no sense."));

it("an account that never sent a transaction has lost nothing: one question, and nothing is noted", async () => {
  const { market, open, note } = scene();
  market.mined = 0n;
  expect(await open()).toBeUndefined();
  expect(market.asked).toEqual(["count"]);
  expect(note()).toBeUndefined();
});

it("an account all of whose transactions the ledger has signed has lost nothing: one question, and no look", async () => {
  const { market, ledger, open, note } = scene();
  promise(ledger, 6n);
  expect(await open()).toBeUndefined();
  expect([market.asked, note()]).toEqual([["count"], undefined]);
});

it("an old copy of a ledger knows fewer transactions than the chain: what was staked since is adopted", async () => {
  const { market, ledger, begin, taken, state, open, note } = scene();
  promise(ledger, 3n);
  const since = [market.post(1_050, 0b01n), market.post(1_051, 0b10n), market.post(1_052, 0b11n)];
  await (await begin()).running;
  expect(taken.toSorted()).toEqual(since);
  expect([since.map(state), note()]).toEqual([["asserted", "asserted", "asserted"], "done"]);
  // It is looked into once, until the account has sent more than that.
  expect(await open()).toBeUndefined();
  market.mined = 8n;
  expect(await open()).toBeDefined();
});

/** Has the ledger sign something with this account nonce. */
function promise(ledger: ReturnType<typeof openLedger>, nonce: bigint): void {
  const bounty = aBounty({ guid: guidOf(99), expiration: block(1_040) });
  ledger.see(bounty);
  ledger.advance(bounty, "distilled");
  ledger.planAssertion(bounty, aPlan());
  ledger.journal(bounty, "assert", [{ ...signed("0xassert"), sequence: nonce }]);
}

it("what can still be revealed is adopted and handed to the duties before anything else is let in", async () => {
  const { market, ledger, begin, taken, doors, state, note, told } = scene();
  const late = market.post(1_000 - someParameters.revealWindow - 1, 0b11n);
  const revealable = market.post(995, 0b10n);
  const foreign = market.post(1_040);
  const fresh = market.post(1_050, 0b01n);
  const { running } = await begin();
  expect(doors).toEqual([]);
  await running;
  expect(taken.toSorted()).toEqual([revealable, fresh]);
  expect([state(revealable), state(fresh), state(late), state(foreign)]).toEqual([
    ...["asserted", "asserted", undefined, undefined],
  ]);
  expect(ledger.assertion({ market: "side", guid: fresh })).toMatchObject({ verdicts: 0b01n, nonce: NONCE });
  expect(doors).toEqual(["released", "open"]);
  expect(note()).toBe("done");
  expect(told.at(-1)).toMatchObject(["recover.salvaged", { rebuilt: 2, notRebuilt: 0 }]);
});

it("it looks once: the next start asks for the count alone, unless it is for another account", async () => {
  const { market, ledger, begin, open } = scene();
  market.post(1_050);
  await (await begin()).running;
  market.asked.length = 0;
  expect(await open()).toBeUndefined();
  expect(market.asked).toEqual(["count"]);
  ledger.setNote("side", "salvage", "done 0xD3690df12C09F3301A2dB3A6EC630DB5c9569038");
  expect(await open()).toBeDefined();
});

it("a gateway that does not say how many transactions were sent is asked again before anybody looks", async () => {
  const { market, begin, doors, note, events } = scene();
  market.post(1_050, 0b01n);
  const answers = [unreadable, unreadable, async () => 0n];
  market.counting = () => answers.shift()!();
  const { running } = await begin();
  expect(note()).toBe("begun");
  await running;
  expect([market.looked, events(), doors, note()]).toEqual([[], [], ["released", "open"], undefined]);
});

it("a gateway that never says how many transactions were sent is asked for the bounties instead", async () => {
  const { market, begin, state, note } = scene();
  const lost = market.post(1_050, 0b01n);
  market.counting = unreadable;
  await (await begin()).running;
  expect([state(lost), note()]).toEqual(["asserted", "done"]);
});

it("what cannot be rebuilt is told of and written down as abandoned, so that it is never answered again", async () => {
  const { market, ledger, begin, told, doors } = scene();
  const guid = market.post(1_050, 0b01n, { commitment: 12n });
  await (await begin()).running;
  expect(told).toContainEqual([
    "recover.not-rebuilt",
    { guid, why: "another-program", detail: expect.any(String) },
  ]);
  expect(ledger.find({ market: "side", guid })).toMatchObject({
    state: "abandoned",
    reason: "asserted-before",
  });
  expect(doors).toEqual(["released", "open"]);
});

it("bounties heard of meanwhile wait, those posted before the start until it is open", async () => {
  const { market, begin, heard, doors, runOutOfPatience } = scene();
  const answered = market.post(1_050, 0b01n);
  const old = market.post(1_060);
  const gate = Promise.withResolvers<void>();
  market.hindrance = () => gate.promise;
  const { hear, running } = await begin();
  const [young, unknown] = [market.post(1_090), market.post(1_091)];
  hear(old, 990);
  hear(young, 1_010);
  expect([heard, doors]).toEqual([[], []]);
  await runOutOfPatience();
  expect([heard, doors]).toEqual([[young], ["released"]]);
  hear(answered, 989);
  hear(unknown, undefined);
  expect(heard).toEqual([young]);
  gate.resolve();
  await running;
  expect(heard).toEqual([young, old, answered, unknown]);
  expect(doors).toEqual(["released", "open"]);
});

it("a list that cannot be read is read again, and what was posted since the start is answered meanwhile", async () => {
  const { market, begin, heard, doors, note, events, state, runOutOfPatience } = scene();
  const lost = market.post(1_050, 0b01n);
  const bountyPage = market.bountyPage.bind(market);
  market.bountyPage = unreadable;
  const { hear, running } = await begin();
  await expect.poll(events).toContain("recover.cut-short");
  await runOutOfPatience();
  const young = market.post(1_090);
  hear(lost, 990);
  hear(young, 1_004);
  expect([heard, doors, note()]).toEqual([[young], ["released"], "begun"]);
  await market.mine(1_004);
  market.bountyPage = bountyPage;
  await market.mine(1_005);
  await running;
  expect([state(lost), doors, note()]).toEqual(["asserted", ["released", "open"], "done"]);
  // What is being answered is not looked at.
  expect(market.looked).toEqual([lost]);
  expect(events().filter((event) => event === "recover.cut-short")).toHaveLength(1);
});

it("a bounty that the marketplace tells nothing about is left alone until it does", async () => {
  const { market, begin, doors, note, state } = scene();
  const [lost, foreign] = [market.post(1_050, 0b01n), market.post(1_051)];
  market.hindrance = (guid) => (guid === lost ? unreadable() : undefined);
  const { lostStakes, running } = await begin();
  await expect.poll(() => doors).toEqual(["released", "open"]);
  expect([lostStakes.leaves(lost), lostStakes.leaves(foreign), note()]).toEqual([true, false, "begun"]);
  market.hindrance = () => undefined;
  await market.mine(1_005);
  await running;
  expect([lostStakes.leaves(lost), state(lost), note()]).toEqual([false, "asserted", "done"]);
  expect(market.looked.filter((guid) => guid === foreign)).toHaveLength(1);
});

it("it ends when nothing from before the start can be revealed any more", async () => {
  const { market, begin, doors, told, note } = scene();
  market.bountyPage = unreadable;
  const { running } = await begin();
  await expect.poll(() => told.map(([event]) => event)).toContain("recover.cut-short");
  await market.mine(1_000 + someParameters.maxDuration + someParameters.revealWindow);
  await running;
  expect([doors, note()]).toEqual([["released", "open"], "done"]);
  expect(told.at(-1)).toMatchObject([
    "recover.cut-short",
    { reason: expect.stringContaining("microengine recover") },
  ]);
});

it("stopped midway, the next start looks again and goes on with what was adopted", async () => {
  const first = scene();
  const { market, ledger } = first;
  const [later, sooner] = [market.post(1_050, 0b01n), market.post(1_060, 0b11n)];
  const gate = Promise.withResolvers<void>();
  market.hindrance = (guid) => (guid === later ? gate.promise : undefined);
  const { running } = await first.begin();
  await expect.poll(() => first.taken).toEqual([sooner]);
  first.stop.abort();
  gate.reject(new Error("aborted"));
  await running;
  expect([first.doors, first.note(), first.state(later)]).toEqual([[], "begun", undefined]);
  expect(first.events()).not.toContain("recover.cut-short");

  market.hindrance = () => undefined;
  const second = scene(market, ledger);
  await (await second.begin()).running;
  expect([second.taken, second.state(later), second.note()]).toEqual([[later], "asserted", "done"]);
  expect(second.told.at(-1)).toMatchObject(["recover.salvaged", { rebuilt: 1, known: 1 }]);
});

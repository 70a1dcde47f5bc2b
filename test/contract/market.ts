import { describe, expect, it } from "vitest";
import type { Bounty } from "../../src/domain/bounty.ts";
import { BOUNTY_STATES } from "../../src/domain/lifecycle.ts";
import type { BountyIntake, Market } from "../../src/market/port.ts";

/** A market of some kind, and one bounty that it can announce. */
export interface MarketUnderTest extends AsyncDisposable {
  readonly market: Market;
  readonly bounty: Bounty;
  /** Has the market hear of the bounty, however it does. */
  announce(): Promise<void>;
}

const never = new AbortController().signal;
const noRescan = async () => undefined;

/** What an engine relies on, whatever kind of marketplace it is. */
export function describeMarket(name: string, open: () => Promise<MarketUnderTest>): void {
  describe(`${name}, as an engine has it`, () => {
    it("has a name that can key a ledger, and steps, tracks and slots that fit together", async () => {
      await using test = await open();
      const { id, settlement } = test.market;
      expect(id).toMatch(/^[a-z][a-z0-9]{0,31}$/);
      expect(settlement.market).toBe(id);
      const { tracks, steps, slots, stages } = settlement.plan;
      for (const { track } of Object.values(steps)) expect(tracks).toContain(track);
      for (const { steps: some, count } of Object.values(slots)) {
        expect(Object.keys(steps)).toEqual(expect.arrayContaining([...some]));
        expect(count).toBeGreaterThan(0);
      }
      for (const usual of Object.values(stages)) expect(usual).toBeGreaterThan(0);
    });

    it("names a step of its plan, or none, for a bounty in whatever state, and tells what is due by the name of a stage", async () => {
      await using test = await open();
      const { settlement } = test.market;
      const { tracks, steps, stages } = settlement.plan;
      for (const state of BOUNTY_STATES) {
        const more = { reason: null, quorum: false, revealMissed: false, seenAt: 0 as never };
        const record = { bounty: test.bounty, state, ...more };
        const [memory] = settlement.remember([record], "left");
        for (const track of tracks) {
          const step = settlement.next({ record, memory, lastReason: undefined, notBefore: {} }, track);
          if (step !== undefined) expect(steps[step]?.track).toBe(track);
        }
        const due = settlement.stageDue(record);
        if (due !== undefined) expect(Object.keys(stages)).toContain(due);
      }
    });

    it("seals the same verdicts on the same bounty in the same way", async () => {
      await using test = await open();
      const { settlement } = test.market;
      expect(settlement.seal(test.bounty, 1n)).toEqual(settlement.seal(test.bounty, 1n));
    });

    it("has time for an answer to a bounty that is open, and no less of it in comfort than at all", async () => {
      await using test = await open();
      const { market, bounty } = test;
      expect(market.isOpen(bounty)).toBe(true);
      const { last, comfortable } = market.answerTimes(bounty);
      expect(comfortable).toBeLessThanOrEqual(last);
      expect([market.refuses(), market.withholds(bounty.guid)]).toEqual([undefined, false]);
      const { isStaked, bidMinimum, bidMaximum, fee, verdicts } = market.terms();
      expect(bidMinimum).toBeLessThanOrEqual(bidMaximum);
      if (!isStaked) expect([bidMaximum, fee]).toEqual([0n, 0n]);
      expect(isStaked ? market.balance : "none needed").toBeDefined();
      expect(verdicts.length).toBeGreaterThan(0);
      expect(market.hasArtifactsAt(bounty.uri)).toBe(true);
      expect(market.artifact(bounty, 0).kind).toMatch(/^(content|url)$/);
    });

    it("hands nothing over before it begins and after its intake has ended, and afterwards what is announced, as it confirms it", async () => {
      await using test = await open();
      const { market, bounty } = test;
      const heard: string[] = [];
      const intake: BountyIntake = {
        has: () => false,
        hear: (notice) => {
          heard.push(notice.guid);
          return true;
        },
        release: () => void heard.push("released"),
        open: () => void heard.push("open"),
      };
      const end = new AbortController();
      await market.begin(intake, noRescan, end.signal);
      expect(heard).toEqual(["released", "open"]);
      heard.length = 0;
      await test.announce();
      const listed = market.list === undefined ? [] : await market.list.page(0, never);
      expect([...heard, ...listed]).toContain(bounty.guid);
      expect((await market.confirm(bounty, never)).bounty).toMatchObject({ guid: bounty.guid });
      end.abort();
      heard.length = 0;
      await test.announce().catch(() => undefined);
      expect(heard).toEqual([]);
    });

    it("takes its listeners off, and ends after it was left", async () => {
      await using test = await open();
      const { market } = test;
      const off = market.on("missed", () => {
        throw new Error("taken off");
      });
      off();
      await test.announce().catch(() => undefined);
      market.leave();
      await market.settlement.stop();
    });
  });
}

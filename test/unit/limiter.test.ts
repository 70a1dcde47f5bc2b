import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Limits } from "../../src/bid/limits.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { Limiter } from "../../src/producer/funds/limiter.ts";
import { RollingWindow } from "../../src/producer/funds/rolling-window.ts";
import { aBounty, aPlan, someParameters } from "../fixtures/bounties.ts";

const HOUR = 3_600_000;
const none: Limits = { minBalance: nct(0n), fee: nct(ONE_NCT) };
const facts = {
  balance: nct(1_000n * ONE_NCT),
  fee: someParameters.assertionFee,
  bidMinimum: someParameters.bidMinimum,
};

let time: { steady: number; wall: number };
const clock = { now: () => instant(time.wall) };
beforeEach(() => {
  time = { steady: 0, wall: 1_700_000_000_000 };
});
function pass(ms: number): void {
  time.steady += ms;
  time.wall += ms;
}

const keyOf = (number: number): BountyKey => ({
  market: number % 2 === 0 ? "side" : "home",
  guid: parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`),
});

function aLimiter(ledger: Ledger, limits: Partial<Limits>, stopLossWindowHours = 24) {
  const told: string[] = [];
  const steadyMs = () => time.steady;
  const limiter = new Limiter({
    limits: { ...none, ...limits },
    stopLossWindowHours,
    ledger,
    steadyMs,
    rollingWindow: new RollingWindow(clock, steadyMs),
    tell: (event) => void told.push(event),
  });
  return { limiter, told };
}

function plan(ledger: Ledger, number: number, stake: bigint): BountyKey {
  const key = keyOf(number);
  ledger.see(aBounty({ ...key }));
  ledger.advance(key, "distilled");
  ledger.planAssertion(key, aPlan({ stake: nct(stake), plannedAt: clock.now() }));
  return key;
}

function settle(ledger: Ledger, number: number, stake: bigint, payout: bigint | null): void {
  const key = plan(ledger, number, stake);
  ledger.recordAsserted(key, 0);
  ledger.recordSettled(key, payout === null ? null : nct(payout));
  pass(1_000);
}

const most = (limiter: Limiter) => {
  const allowed = limiter.allow("side", facts);
  return allowed.kind === "stake" ? allowed.most : allowed.why;
};

describe("the limiter", () => {
  it("counts what was planned at once, on all chains, and no more when nothing was posted after all", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter } = aLimiter(ledger, { atRisk: parseNct("3"), stakePerHour: parseNct("3") });
    plan(ledger, 1, ONE_NCT);
    const second = plan(ledger, 2, ONE_NCT);
    expect(most(limiter)).toBe(ONE_NCT);
    ledger.abandon(second, "too-late");
    expect(most(limiter)).toBe(2n * ONE_NCT);
  });

  it("counts a settled stake towards its hour, but not towards what is at risk", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter } = aLimiter(ledger, { atRisk: parseNct("3"), stakePerHour: parseNct("2") });
    settle(ledger, 1, ONE_NCT, ONE_NCT);
    expect(most(limiter)).toBe(ONE_NCT);
    pass(HOUR);
    expect(most(limiter)).toBe(2n * ONE_NCT);
  });

  it("breaks no limit with several bounties planned one after the other, before any is mined, across restarts and steps of the clock", () => {
    const wanted = fc.array(
      fc.record({
        stake: fc.bigInt({ min: 1n, max: 40n }),
        happens: fc.constantFrom("nothing", "restart", "clock back", "clock forwards"),
        passMs: fc.integer({ min: 0, max: HOUR / 4 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        wanted,
        fc.bigInt({ min: 0n, max: 99n }),
        fc.bigInt({ min: 0n, max: 99n }),
        (bounties, atRisk, perHour) => {
          using ledger = openLedger(":memory:", clock);
          const limits = { stakePerBounty: nct(30n), atRisk: nct(atRisk), stakePerHour: nct(perHour) };
          let { limiter } = aLimiter(ledger, limits);
          let forwards = false;
          const staked: { readonly steady: number; readonly stake: bigint }[] = [];
          for (const [number, { stake, happens, passMs }] of bounties.entries()) {
            const allowed = limiter.allow("side", { ...facts, bidMinimum: nct(1n) });
            const room = allowed.kind === "stake" ? allowed.most : 0n;
            const amount = room < stake ? room : stake;
            if (amount > 0n) {
              plan(ledger, number, amount);
              staked.push({ steady: time.steady, stake: amount });
            }
            const sum = staked.reduce((total, one) => total + one.stake, 0n);
            const lastHour = staked
              .filter(({ steady }) => steady > time.steady - HOUR)
              .reduce((total, one) => total + one.stake, 0n);
            expect(amount).toBeLessThanOrEqual(30n);
            expect(sum).toBeLessThanOrEqual(atRisk);
            expect(lastHour).toBeLessThanOrEqual(perHour);
            forwards ||= happens === "clock forwards";
            // A process that begins after the clock was set forwards cannot know of it.
            if (happens === "restart" && !forwards) limiter = aLimiter(ledger, limits).limiter;
            if (happens === "clock back") time.wall -= HOUR;
            if (happens === "clock forwards") time.wall += 24 * HOUR;
            pass(passMs);
            limiter.paused();
          }
        },
      ),
    );
  });
});

describe("a stop-loss", () => {
  const limits = { stopLoss: parseNct("2") };

  it("trips when losses over the window reach it, and is told once", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter, told } = aLimiter(ledger, limits);
    settle(ledger, 1, ONE_NCT, 0n);
    expect(limiter.paused()).toBeUndefined();
    settle(ledger, 2, ONE_NCT, 0n);
    expect(limiter.paused()).toBe("stop-loss");
    settle(ledger, 3, ONE_NCT, 0n);
    expect(most(limiter)).toBe("stop-loss");
    expect(told).toEqual(["stop-loss.tripped"]);
  });

  it("counts what was won against what was lost", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter } = aLimiter(ledger, limits);
    settle(ledger, 1, ONE_NCT, 3n * ONE_NCT);
    for (const number of [2, 3, 4]) settle(ledger, number, ONE_NCT, 0n);
    expect(limiter.paused()).toBeUndefined();
    settle(ledger, 5, ONE_NCT, 0n);
    expect(limiter.paused()).toBe("stop-loss");
  });

  it("says nothing about a settlement of which nobody knows what it paid", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter } = aLimiter(ledger, limits);
    for (const number of [1, 2, 3]) settle(ledger, number, ONE_NCT, null);
    expect(limiter.paused()).toBeUndefined();
  });

  it("is released when the window has moved on, and told so once", () => {
    using ledger = openLedger(":memory:", clock);
    const { limiter, told } = aLimiter(ledger, limits);
    for (const number of [1, 2]) settle(ledger, number, ONE_NCT, 0n);
    expect(limiter.paused()).toBe("stop-loss");
    pass(23 * HOUR);
    expect(limiter.paused()).toBe("stop-loss");
    pass(HOUR);
    expect([limiter.paused(), limiter.paused()]).toEqual([undefined, undefined]);
    expect(told).toEqual(["stop-loss.tripped", "stop-loss.released"]);
  });

  it("holds over a restart, unless the flag was changed", () => {
    using ledger = openLedger(":memory:", clock);
    for (const number of [1, 2]) settle(ledger, number, ONE_NCT, 0n);
    expect(aLimiter(ledger, limits).limiter.paused()).toBe("stop-loss");
    expect(aLimiter(ledger, { stopLoss: parseNct("9") }).limiter.paused()).toBeUndefined();
    expect(aLimiter(ledger, {}).limiter.paused()).toBeUndefined();
  });

  it.each([
    ["forwards by a day", 24 * HOUR],
    ["back by an hour", -HOUR],
  ])("is not released by setting the clock %s", (_, stepMs) => {
    using ledger = openLedger(":memory:", clock);
    const { limiter } = aLimiter(ledger, limits);
    for (const number of [1, 2]) settle(ledger, number, ONE_NCT, 0n);
    time.wall += stepMs;
    pass(10_000);
    expect(limiter.paused()).toBe("stop-loss");
    pass(24 * HOUR);
    expect(limiter.paused()).toBe(stepMs > 0 ? undefined : "stop-loss");
  });
});

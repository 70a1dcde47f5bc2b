import fc from "fast-check";
import { expect, it } from "vitest";
import { BUILT_IN_STRATEGIES } from "../../src/bid/strategies.ts";
import { leanOpinion } from "../../src/distill/lean.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { BountiesInWork } from "../../src/producer/answering/bounties-in-work.ts";
import type { Tell } from "../../src/producer/events/events.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { Limiter, type LimiterParts } from "../../src/producer/funds/limiter.ts";
import { RollingWindow } from "../../src/producer/funds/rolling-window.ts";
import { aBounty, aPlan, signed, someParameters } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";
import { hearingCollector } from "../fixtures/queue/hearing-collector.ts";
import { plainQueue } from "../fixtures/queue/plain-queue.ts";

const clock = { now: () => instant(1_000) };
const steadyMs = () => 0;
const guidOf = (number: number) => parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);

function openBounties(ledger: Ledger, limits: Partial<LimiterParts["limits"]>) {
  const market = new HandMarket();
  market.bounty = async (guid) => aBounty({ guid, artifactCount: 1, claims: [{ raw: {} }] });
  market.listArtifacts = async () => [{ name: "0", hash: "Qm0" }];
  const queue = plainQueue("eager");
  const reservations = new BalanceReservations(() => market.balance(), clock);
  const told: [string, object][] = [];
  const tell: Tell = (event, facts) => void told.push([event, facts]);
  const duties = onchainDuties({ market, ledger, reservations, clock, tell, feeCeiling: nct(ONE_NCT) });
  duties.listen();
  const limiter = new Limiter({
    limits: { minBalance: nct(0n), fee: nct(ONE_NCT), ...limits },
    stopLossWindowHours: 24,
    ledger,
    tell,
    steadyMs,
    rollingWindow: new RollingWindow(clock, steadyMs),
  });
  const inWork = new BountiesInWork({
    market: onchainMarket(market, { ledger, clock, tell }),
    ledger,
    reservations,
    limiter,
    clock,
    tell,
    queue,
    duties,
    collector: hearingCollector(queue, clock, () => {}),
    rules: {
      artifactKinds: ["file"],
      maxSizeBytes: 1_000,
      backends: [{ name: "any", accepts: { kinds: ["file"] } }],
      routes: [],
    },
    distill: (testimony) => leanOpinion(testimony, { silence: new Map() }),
    strategy: BUILT_IN_STRATEGIES[0]!,
    version: "0.0.0",
  });
  inWork.listen();
  const of = (name: string) => told.filter(([event]) => event === name).map(([, facts]) => facts);
  return { market, inWork, duties, reservations, limiter, of };
}

it.each([
  ["what may be at risk", { atRisk: parseNct("5.5") }, 5.5],
  ["what may be staked within an hour", { stakePerHour: parseNct("3.25") }, 3.25],
  ["what the wallet holds", { minBalance: parseNct("95.78125") }, 4.0625],
] as const)(
  "twenty bounties planned at the same moment do not exceed %s together",
  async (_, limits, total) => {
    using ledger = openLedger(":memory:", clock);
    const { inWork, of } = openBounties(ledger, limits);
    for (let number = 1; number <= 20; number++)
      inWork.take(aBounty({ guid: guidOf(number), artifactCount: 1, claims: [{ raw: {} }] }));
    await expect.poll(() => of("assertion.posted").length + of("bounty.abandoned").length).toBe(20);
    const stakes = of("assertion.planned").map((facts) => Number((facts as { stake: string }).stake));
    expect(stakes.reduce((sum, stake) => sum + stake, 0)).toBe(total);
    expect(new Set(of("bounty.abandoned").map((facts) => (facts as { why: string }).why))).toEqual(
      new Set(["over-limit"]),
    );
    await inWork.stop();
  },
);

it("a bounty that comes while the stop-loss holds is not even scanned", async () => {
  using ledger = openLedger(":memory:", clock);
  const lost = aBounty({ guid: guidOf(1) });
  ledger.see(lost);
  ledger.advance(lost, "distilled");
  ledger.planAssertion(lost, aPlan());
  ledger.recordAsserted(lost, 0);
  ledger.recordSettled(lost, nct(0n));
  const { inWork, of } = openBounties(ledger, { stopLoss: nct(ONE_NCT) });
  expect(inWork.take(aBounty({ guid: guidOf(2) }))).toBe(false);
  expect(of("bounty.skipped")).toEqual([{ guid: guidOf(2), why: "stop-loss" }]);
  expect(ledger.find(aBounty({ guid: guidOf(2) }))).toBeUndefined();
  expect(of("stop-loss.tripped")).toEqual([{ lost: "1.53125", limit: "1", windowHours: 24 }]);
});

it("after a restart the purse holds back what was promised and the balance may not show, whatever was left how", async () => {
  const left = fc.array(
    fc.record({
      state: fc.constantFrom("planned", "posting", "asserted", "abandoned"),
      stake: fc.bigInt({ min: 0n, max: 9n }),
      fee: fc.bigInt({ min: 0n, max: 3n }),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(left, async (rows) => {
      using ledger = openLedger(":memory:", clock);
      let owed = 0n;
      for (const [number, { state, stake, fee }] of rows.entries()) {
        const key = aBounty({ guid: guidOf(number) });
        ledger.see(key);
        ledger.advance(key, "distilled");
        ledger.planAssertion(key, aPlan({ stake: nct(stake), fee: nct(fee) }));
        if (state === "posting" || state === "asserted")
          ledger.journal(key, "assert", [signed(`0x${number}`)]);
        if (state === "asserted") ledger.recordAsserted(key, 0);
        if (state === "abandoned") ledger.abandon(key, "too-late");
        if (state === "planned" || state === "posting") owed += stake + fee;
      }
      const { duties, reservations, market } = openBounties(ledger, {});
      // Nothing gets through while we look.
      market.confirming = () => new Promise(() => {});
      await reservations.refresh();
      duties.resume();
      expect(reservations.available()).toBe((await market.balance()) - owed);
      void duties.stop();
    }),
    { numRuns: 40 },
  );
});

it("an assertion is not planned while the market charges more for it than the ceiling", async () => {
  using ledger = openLedger(":memory:", clock);
  const { inWork, of } = openBounties(ledger, { fee: nct(someParameters.assertionFee - 1n) });
  inWork.take(aBounty({ guid: guidOf(1) }));
  await expect.poll(() => of("bounty.abandoned")).toHaveLength(1);
  expect(of("bounty.abandoned")[0]).toMatchObject({
    why: "over-limit",
    detail: expect.stringContaining("--max-fee (variable MAX_FEE)"),
  });
});

it("an assertion is posted with the ceiling, for the fee may rise until then", async () => {
  using ledger = openLedger(":memory:", clock);
  const { inWork, market, of } = openBounties(ledger, {});
  inWork.take(aBounty({ guid: guidOf(1) }));
  await expect.poll(() => of("assertion.posted")).toHaveLength(1);
  expect(market.assertRequests).toMatchObject([{ fee: someParameters.assertionFee, feeCeiling: ONE_NCT }]);
  await inWork.stop();
});

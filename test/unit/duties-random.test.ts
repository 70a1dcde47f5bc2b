import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Clock, instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan, GUID } from "../fixtures/bounties.ts";
import { LAST_BLOCK, MISHAPS, type Mishap, ModelChain, ModelMarket } from "../fixtures/model-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

const key = { market: "side", guid: GUID } as const;
const clock: Clock = { now: () => instant(Date.now()) };

/** Everything goes wrong until here, five blocks into the reveal window; the market works from then on. */
const CALM_FROM = 1_025;

const RUNS = 100;

const steps = fc.array(
  fc.constantFrom("block", "block", "block", "block", "crash", "take-back", "take-nonce"),
  { minLength: 60, maxLength: 60 },
);
const mishaps = fc.array(fc.constantFrom<Mishap>("none", "none", ...MISHAPS), {
  minLength: 1,
  maxLength: 40,
});

/** A producer over the ledger's file, until it crashes. */
function start(file: string, chain: ModelChain, mishap: () => Mishap) {
  const ledger = openLedger(file, clock);
  const market = new ModelMarket(chain, mishap);
  const reservations = new BalanceReservations(() => market.balance(), clock);
  const duties = onchainDuties({ market, ledger, reservations, clock, tell: () => {} });
  duties.listen();
  return {
    ledger,
    market,
    duties,
    crash() {
      market.die();
      void duties.stop();
      ledger[Symbol.dispose]();
    },
  };
}

function plan(ledger: Ledger): void {
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
}

async function live(file: string, schedule: readonly string[], dice: readonly Mishap[]) {
  const chain = new ModelChain();
  let thrown = 0;
  const mishap = () => (chain.head >= CALM_FROM ? "none" : dice[thrown++ % dice.length]!);
  let run = start(file, chain, mishap);
  plan(run.ledger);
  run.duties.resume();
  const restart = async () => {
    run.crash();
    run = start(file, chain, mishap);
    await run.market.mine(chain.head);
    run.duties.resume();
  };
  for (const step of schedule) {
    if (chain.head >= CALM_FROM) break;
    if (step === "crash") await restart();
    else if (step === "take-back") chain.takeBack(2);
    else if (step === "take-nonce") chain.takeNonce();
    else chain.mine();
    await run.market.pass();
  }
  // Whoever never comes back is brought back at last: some answers were never given.
  await restart();
  while (chain.head < LAST_BLOCK) {
    chain.mine();
    await run.market.pass();
  }
  const { state } = run.ledger.find(key)!;
  run.crash();
  return { chain, state };
}

it("whatever is lost, refused, taken back or crashes, one commitment is asserted once, and revealed and settled", async () => {
  const folder = await mkdtemp(join(tmpdir(), "duties-random-"));
  let file = 0;
  let staked = 0;
  await fc.assert(
    fc.asyncProperty(steps, mishaps, async (schedule, dice) => {
      const { chain, state } = await live(join(folder, `${file++}.sqlite`), schedule, dice);
      expect(new Set(chain.commitments).size).toBeLessThanOrEqual(1);
      expect(chain.doubleAssertions).toBe(0);
      if (chain.did("assert")) {
        staked++;
        expect(chain.did("reveal"), "revealed").toBeDefined();
        expect(chain.did("settle"), "settled").toBeDefined();
        expect(state).toBe("settled");
      } else expect(["abandoned", "settled"]).toContain(state);
    }),
    { numRuns: RUNS },
  );
  expect(staked).toBeGreaterThan(RUNS / 4);
  await rm(folder, { recursive: true });
});

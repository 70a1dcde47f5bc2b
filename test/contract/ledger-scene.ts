import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import type { Clock } from "../../src/domain/instant.ts";
import { type BountyState, UNPROMISED_STATES } from "../../src/domain/lifecycle.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { aBounty, aPlan, GUID, signed } from "../fixtures/bounties.ts";

export interface LedgerUnderTest extends Disposable {
  readonly ledger: Ledger;
  /** The ledger as a process finds it that comes after this one; where nothing outlives the process, the same. */
  again(): Ledger;
}

export type OpenLedgerAt = (clock: Clock) => LedgerUnderTest;

export const KEY = { market: "side", guid: GUID } as const;

export const numbered = (number: number): Guid =>
  parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);

/** Every step of a bounty that is revealed and settled, from the plan on. */
const STEPS: readonly (readonly [BountyState, (ledger: Ledger, key: BountyKey, nonce: bigint) => void])[] = [
  ["planned", (ledger, key) => ledger.planAssertion(key, aPlan())],
  [
    "posting",
    (ledger, key, nonce) =>
      ledger.journal(key, "assert", [
        signed(`0xapprove-${key.guid}`, nonce),
        signed(`0xassert-${key.guid}`, nonce + 1n),
      ]),
  ],
  ["asserted", (ledger, key) => ledger.recordAsserted(key, 4)],
  [
    "revealing",
    (ledger, key, nonce) => ledger.journal(key, "reveal", [signed(`0xreveal-${key.guid}`, nonce + 2n)]),
  ],
  ["revealed", (ledger, key) => ledger.recordRevealed(key)],
  [
    "settling",
    (ledger, key, nonce) => ledger.journal(key, "settle", [signed(`0xsettle-${key.guid}`, nonce + 3n)]),
  ],
  ["settled", (ledger, key) => ledger.recordSettled(key, nct(4n * ONE_NCT))],
];

/** Takes a bounty from nothing to a state; what is signed for it on the way has the account nonces from `nonce` on. */
export function bring(ledger: Ledger, state: BountyState, key: BountyKey = KEY, nonce = 7n): void {
  ledger.see(aBounty(key));
  if (state === "abandoned") ledger.abandon(key, "too-late");
  else if ((UNPROMISED_STATES as readonly BountyState[]).includes(state)) ledger.advance(key, state);
  else promise(ledger, state, key, nonce);
}

function promise(ledger: Ledger, state: BountyState, key: BountyKey, nonce: bigint): void {
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  for (const [reached, step] of STEPS) {
    step(ledger, key, nonce);
    if (reached === state) return;
  }
}

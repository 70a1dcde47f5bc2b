import type { ContractRefusal, Outcome } from "../port/marketplace.ts";

/**
 * What the contracts say when they refuse, as far as it matters which refusal it was. Source: the require texts of
 * BountyRegistry 1.6; "check parameters" is what the gateway says of a reveal when its node does not tell the contract's words.
 */
const WORDS: readonly (readonly [ContractRefusal, RegExp])[] = [
  ["already-asserted", /already asserted/i],
  ["already-revealed", /already revealed/i],
  ["already-settled", /already settled/i],
  ["not-in-reveal-window", /not in reveal window/i],
  ["unknown-bounty", /not initialized/i],
  [
    "wrong-place",
    /incorrect assertion author|invalid assertion id|commitment hash mismatch|check parameters/i,
  ],
];

const refusalIn = (text: string): ContractRefusal | undefined =>
  WORDS.find(([, words]) => words.test(text))?.[0];

/** A failed outcome, with what the contract refused where the reason says so. */
export function failedOutcome({
  reason,
  retryable,
}: {
  readonly reason: string;
  readonly retryable: boolean;
}): Extract<Outcome<never>, { kind: "failed" }> {
  const refusal = refusalIn(reason);
  return { kind: "failed", reason, retryable, ...(refusal === undefined ? {} : { refusal }) };
}

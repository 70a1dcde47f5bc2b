import { z } from "zod";
import type { MarketId } from "../../../domain/bounty.ts";
import { type Nct, nct } from "../../../domain/nct.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { MarketParameters } from "../port/parameters.ts";
import { MARKET_NOTES } from "./market-notes.ts";

const amount = z
  .string()
  .regex(/^\d{1,78}$/)
  .transform((digits): Nct => nct(BigInt(digits)));
const blocks = z.number().int().nonnegative();

/** Amounts are decimal text of base units. */
const Noted = z.object({
  bountyFee: amount,
  assertionFee: amount,
  bountyAmountMinimum: amount,
  bidMinimum: amount,
  bidMaximum: amount,
  revealWindow: blocks,
  voteWindow: blocks,
  maxDuration: blocks,
});

/** The market's parameters as the ledger noted them last; undefined when it did not, or they make no sense. */
export function rememberedParameters(
  market: MarketId,
  ledger: Pick<Ledger, "note">,
): MarketParameters | undefined {
  const note = ledger.note(market, MARKET_NOTES.parameters);
  if (note === undefined) return undefined;
  try {
    return Noted.safeParse(JSON.parse(note)).data;
  } catch {
    return undefined;
  }
}

export function rememberParameters(
  market: MarketId,
  parameters: MarketParameters,
  ledger: Pick<Ledger, "setNote">,
): void {
  const text = JSON.stringify(parameters, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
  ledger.setNote(market, MARKET_NOTES.parameters, text);
}

import type { Branded } from "./brand.ts";

/** NCT in base units; 1 NCT is 10n ** 18n. Never negative in a stake, may be negative in a profit. */
export type Nct = Branded<bigint, "Nct">;

export const ONE_NCT = 10n ** 18n;

export const nct = (baseUnits: bigint): Nct => baseUnits as Nct;

/** Reads a human amount ("1", "0.0625") as base units. A 19th decimal is a mistake, never a rounding. */
export function parseNct(text: string): Nct {
  const [, whole, fraction = ""] = /^(\d+)(?:\.(\d{1,18}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) throw new RangeError(`"${text}" is not an NCT amount`);
  return nct(BigInt(whole) * ONE_NCT + BigInt(fraction.padEnd(18, "0")));
}

/** Writes base units for people, exactly, without trailing zeros: 62500000000000000n is "0.0625". */
export function formatNct(amount: bigint): string {
  const sign = amount < 0n ? "-" : "";
  const size = amount < 0n ? -amount : amount;
  const fraction = (size % ONE_NCT).toString().padStart(18, "0").replace(/0+$/, "");
  return `${sign}${size / ONE_NCT}${fraction === "" ? "" : `.${fraction}`}`;
}

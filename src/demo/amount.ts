import { ONE_NCT, parseNct } from "../domain/nct.ts";

const DECIMALS = 4;
const STEP = ONE_NCT / 10n ** BigInt(DECIMALS);

/** Decimal NCT for people, rounded to four decimals and always with all of them, so that columns line up: "-1.6250". */
export function roundedNct(exact: string): string {
  const negative = exact.startsWith("-");
  const size = parseNct(negative ? exact.slice(1) : exact);
  const steps = (size + STEP / 2n) / STEP;
  const digits = steps.toString().padStart(DECIMALS + 1, "0");
  const sign = negative && steps > 0n ? "-" : "";
  return `${sign}${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`;
}

/** The same with a plus in front of a gain. */
export function signedNct(exact: string): string {
  const rounded = roundedNct(exact);
  return rounded.startsWith("-") || /^[0.]+$/.test(rounded) ? rounded : `+${rounded}`;
}

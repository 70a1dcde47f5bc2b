import { formatNct, type Nct, nct, ONE_NCT, parseNct } from "./nct.ts";

/** The most that an assertion can stake on one artifact: no published marketplace takes more. */
export const MOST_PER_ARTIFACT: Nct = nct(ONE_NCT);

/** A share of everything the wallet has, staked or not, in whole percent. */
interface WalletShare {
  readonly percent: number;
}

/** A limit on stakes: so many base units, or a share of the wallet. */
export type StakeLimit = Nct | WalletShare;

/**
 * A limit in base units. A share is never less than the highest bid on one artifact: a small wallet is asked to risk one
 * bid, not to be silent. Bids are limited by themselves.
 */
export function stakeLimitIn(limit: StakeLimit, wallet: Nct): Nct {
  if (typeof limit === "bigint") return limit;
  const share = nct((wallet * BigInt(limit.percent)) / 100n);
  return share > MOST_PER_ARTIFACT ? share : MOST_PER_ARTIFACT;
}

/** For people: "2 NCT" or "10% of the wallet". */
export const describeStakeLimit = (limit: StakeLimit): string =>
  typeof limit === "bigint" ? `${formatNct(limit)} NCT` : `${limit.percent}% of the wallet`;

/** Reads "2" or "0.5" as NCT and "10%" as a share of 1 to 100 percent. Throws RangeError. */
export function parseStakeLimit(text: string): StakeLimit {
  const [, digits] = /^(\d{1,3})\s*%$/.exec(text.trim()) ?? [];
  if (digits === undefined) return parseNct(text);
  const percent = Number(digits);
  if (percent < 1 || percent > 100) throw new RangeError(`${text} is no share of a wallet`);
  return { percent };
}

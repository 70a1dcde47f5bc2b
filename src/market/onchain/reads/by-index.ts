import { MarketFault } from "../http/answer.ts";
import type { PostedAssertion } from "../port/marketplace.ts";

/**
 * The assertions of one bounty, asked for one by one. The list of them is as large as strangers make it: thousands of
 * assertions are more than is read of one answer, and a gateway may need longer for it than is waited. One row is
 * always small.
 *
 *     asking for a few rows at once ──found what was looked for──► found
 *        ▲         │  └──a row that does not exist: the end──► all that were read
 *        └─────────┘──too many rows, or too many that cannot be read──► the fault
 */

/** Our own row is looked for among so many: as many accounts would have to pay a fee and a bid each to hide it. */
export const ROWS_SEARCHED = 8_192;
/** Of all rows together; a payout is computed from them. */
export const ROWS_READ = 2_048;

/** Rows asked for at once. Less urgent requests have 20 slots, and others want some. */
const AT_ONCE = 8;
/** So many rows that cannot be read are passed over when one of the others is looked for. */
const MAX_UNREAD = 16;

interface RowSearch {
  /** One row; undefined where there is none. Throws MarketFault. */
  readonly row: (index: number) => Promise<PostedAssertion | undefined>;
  /** What ends the search before the last row. Default: nothing does, and then every row must be readable. */
  readonly wanted?: (row: PostedAssertion) => boolean;
  readonly most: number;
  /** What is thrown where rows do not help either. */
  readonly fault: MarketFault;
}

/** The wanted row alone, or every row. Throws `fault`, or the reason of a caller who does not wait any more. */
export async function readByIndex(search: RowSearch): Promise<readonly PostedAssertion[]> {
  const { row, wanted, most, fault } = search;
  const rows: PostedAssertion[] = [];
  let unread = 0;
  for (let first = 0; first < most; first += AT_ONCE) {
    const indices = Array.from({ length: AT_ONCE }, (_, offset) => first + offset);
    const read = await Promise.all(indices.map((index) => row(index).catch(unlessAborted)));
    const found = wanted && read.find((it) => isRow(it) && wanted(it));
    if (isRow(found)) return [found];
    const end = read.indexOf(undefined);
    const before = end < 0 ? read : read.slice(0, end);
    for (const it of before) if (isRow(it)) rows.push(it);
    unread += before.length - before.filter(isRow).length;
    // A list that cannot be read has rows: where there is none, the gateway knows no single ones.
    if (rows.length === 0 && (end === 0 || unread > 0)) throw fault;
    if (unread > (wanted === undefined ? 0 : MAX_UNREAD)) throw fault;
    if (end < 0) continue;
    // The row that cannot be read may be the one.
    if (unread > 0) throw fault;
    return wanted === undefined ? rows : [];
  }
  throw fault;
}

type Read = PostedAssertion | undefined | "unread";

const isRow = (it: Read): it is PostedAssertion => typeof it === "object";

function unlessAborted(error: unknown): "unread" {
  if (error instanceof MarketFault) return "unread";
  throw error;
}

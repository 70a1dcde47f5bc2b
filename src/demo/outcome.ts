import { jsonNumber } from "../domain/json.ts";
import { formatNct } from "../domain/nct.ts";
import { type Board, isRight } from "./board.ts";

/** How the demo ended. Amounts are decimal NCT as text; every count is of bounties. */
export interface Outcome {
  readonly bounties: number;
  readonly asserted: number;
  readonly revealed: number;
  readonly settled: number;
  /** Settled bounties on which every verdict of ours was the arbiters'. */
  readonly correct: number;
  readonly wrong: number;
  /** Bounties we kept silent about. */
  readonly silent: number;
  readonly stakedNct: string;
  readonly profitNct: string;
  /** Milliseconds from hearing of a bounty until the request for its assertion left; null when there was none. */
  readonly assertMsP50: number | null;
  readonly assertMsMax: number | null;
}

/** What the producer's ledger holds at the end. */
export interface Books {
  readonly asserted: number;
  readonly revealed: number;
  readonly settled: number;
  readonly staked: bigint;
  readonly profit: bigint;
  readonly requestMs: readonly number[];
}

/** Stages come from the ledger, which is the truth; right and wrong from what was told at settlement. */
export function outcomeOf(bounties: number, board: Board, books: Books): Outcome {
  const settled = [...board.values()].filter((line) => line.stage === "settled");
  const times = books.requestMs.toSorted((a, b) => a - b);
  return {
    bounties,
    asserted: books.asserted,
    revealed: books.revealed,
    settled: books.settled,
    correct: settled.filter((line) => isRight(line) === true).length,
    wrong: settled.filter((line) => isRight(line) === false).length,
    silent: [...board.values()].filter((line) => line.stage === "silent").length,
    stakedNct: formatNct(books.staked),
    profitNct: formatNct(books.profit),
    assertMsP50: times[Math.floor((times.length - 1) / 2)] ?? null,
    assertMsMax: times.at(-1) ?? null,
  };
}

/** Every stake was revealed and settled. */
export const isWhole = (outcome: Outcome): boolean =>
  outcome.asserted === outcome.revealed && outcome.asserted === outcome.settled;

/** One line of JSON. Amounts are numbers with all their digits: most readers round them, none has to parse text. */
export const outcomeJson = (outcome: Outcome): string =>
  JSON.stringify({
    ...outcome,
    stakedNct: jsonNumber(outcome.stakedNct),
    profitNct: jsonNumber(outcome.profitNct),
  });

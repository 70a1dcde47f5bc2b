import { formatNct } from "../domain/nct.ts";
import { jsonNumber } from "../json/json.ts";
import { type Board, isRight, type Line } from "./board.ts";

/** How the demo ended. Amounts are decimal NCT as text; every count is of bounties. */
export interface DemoOutcome {
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
  /** Why bounties were not seen through, in words, with how many each stopped. Empty when every bounty was settled. */
  readonly unfinished: readonly Unfinished[];
}

interface Unfinished {
  readonly reason: string;
  readonly bounties: number;
}

/** What the producer's ledger holds at the end. */
export interface LedgerTotals {
  readonly asserted: number;
  readonly revealed: number;
  readonly settled: number;
  readonly staked: bigint;
  readonly profit: bigint;
  readonly requestMs: readonly number[];
}

/** Stages come from the ledger, which is the truth; right and wrong from what was told at settlement. */
export function outcomeOf(bounties: number, board: Board, totals: LedgerTotals): DemoOutcome {
  const settled = [...board.values()].filter((line) => line.stage === "settled");
  const times = totals.requestMs.toSorted((a, b) => a - b);
  return {
    bounties,
    asserted: totals.asserted,
    revealed: totals.revealed,
    settled: totals.settled,
    correct: settled.filter((line) => isRight(line) === true).length,
    wrong: settled.filter((line) => isRight(line) === false).length,
    silent: [...board.values()].filter((line) => line.stage === "silent").length,
    stakedNct: formatNct(totals.staked),
    profitNct: formatNct(totals.profit),
    assertMsP50: times[Math.floor((times.length - 1) / 2)] ?? null,
    assertMsMax: times.at(-1) ?? null,
    unfinished: unfinishedOf(bounties, board),
  };
}

/** Every bounty was asserted, and every stake revealed and settled: the demo's backend has an opinion on every artifact. */
export const isEverythingSettled = ({ bounties, asserted, revealed, settled }: DemoOutcome): boolean =>
  asserted === bounties && revealed === bounties && settled === bounties;

function unfinishedOf(bounties: number, board: Board): readonly Unfinished[] {
  const reasons = [...board.values()].flatMap((line) => whyUnfinished(line) ?? []);
  const unheard = Math.max(0, bounties - board.size);
  return [
    ...Map.groupBy(reasons, (reason) => reason)
      .entries()
      .map(([reason, same]) => ({ reason, bounties: same.length })),
    ...(unheard === 0 ? [] : [{ reason: "not heard of before the demo ended", bounties: unheard }]),
  ];
}

const BUSY = "the machine is busy";

function whyUnfinished({ stage, why = "" }: Line): string | undefined {
  switch (stage) {
    case "settled":
      return undefined;
    case "silent":
      return SILENT[why] ?? why;
    case "missed":
      return `asserted, and revealed too late; ${BUSY}`;
    default:
      return `${UNFINISHED[stage]} when the demo ended; ${BUSY}`;
  }
}

/** In the demo a backend has an opinion on every artifact that it is asked about in time. */
const SILENT: Readonly<Record<string, string>> = {
  "no-opinion": `no answer in time; ${BUSY}`,
  "too-late": `too late to assert; ${BUSY}`,
  "post-failed": "the assertion could not be posted",
  "market-failed": "the gateway did not answer",
};

const UNFINISHED: Readonly<Record<Exclude<Line["stage"], "settled" | "silent" | "missed">, string>> = {
  seen: "still being scanned",
  planned: "still being posted",
  asserted: "asserted and not revealed",
  revealed: "revealed and not settled",
};

/** One line of JSON. Amounts are numbers with all their digits: most readers round them, none has to parse text. */
export const outcomeJson = (outcome: DemoOutcome): string =>
  JSON.stringify({
    ...outcome,
    stakedNct: jsonNumber(outcome.stakedNct),
    profitNct: jsonNumber(outcome.profitNct),
  });

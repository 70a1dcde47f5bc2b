/**
 * What the demo knows of each bounty, put together from what the producer tells (producer/events.ts). Pure: an event in,
 * a new board out.
 */
import { z } from "zod";

type Stage = "seen" | "silent" | "planned" | "asserted" | "revealed" | "missed" | "settled";

export interface Line {
  readonly guid: string;
  readonly artifacts: number;
  readonly stage: Stage;
  /** Why we keep silent: a reason from `ABANDON_REASONS`. */
  readonly why?: string;
  /** Decimal NCT. */
  readonly stake?: string;
  readonly profit?: string;
  /** From hearing of the bounty until the assertion request left. */
  readonly ms?: number;
  /** How many verdicts of ours were the arbiters', and how many were not. Known once settled. */
  readonly verdicts?: { readonly right: number; readonly wrong: number };
}

/** Lines by GUID, in the order in which the bounties were heard of. */
export type Board = ReadonlyMap<string, Line>;

/** One line of the producer's log. Everything the board does not need passes by. */
const Told = z.looseObject({
  msg: z.string(),
  guid: z.string().optional(),
  artifacts: z.number().optional(),
  stake: z.string().optional(),
  profit: z.string().optional(),
  why: z.string().optional(),
  ms: z.number().nullish(),
  right: z.number().optional(),
  wrong: z.number().optional(),
});
export type Told = z.infer<typeof Told>;

/** `undefined` when the line is not an entry of the log. */
export function readTold(line: string): Told | undefined {
  try {
    return Told.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The same board when the entry is not about a bounty's progress. */
export function progress(board: Board, told: Told): Board {
  if (told.guid === undefined) return board;
  const before = board.get(told.guid) ?? { guid: told.guid, artifacts: 0, stage: "seen" as const };
  const after = step(before, told);
  return after === undefined ? board : new Map(board).set(told.guid, after);
}

function step(line: Line, told: Told): Line | undefined {
  switch (told.msg) {
    case "bounty.seen":
      return { ...line, artifacts: told.artifacts ?? 0 };
    case "bounty.abandoned":
      return { ...line, stage: "silent", why: told.why ?? "" };
    case "assertion.planned":
      return { ...line, stage: "planned", stake: told.stake ?? "0" };
    case "assertion.posted":
      return { ...line, stage: "asserted", ...(told.ms == null ? {} : { ms: told.ms }) };
    case "assertion.revealed":
      return { ...line, stage: "revealed" };
    case "assertion.reveal-missed":
      return { ...line, stage: "missed" };
    case "assertion.settled":
      return {
        ...line,
        stage: "settled",
        profit: told.profit ?? "0",
        verdicts: { right: told.right ?? 0, wrong: told.wrong ?? 0 },
      };
    default:
      return undefined;
  }
}

/** Whether every verdict of ours was the arbiters'; undefined until it is settled. */
export const isRight = ({ verdicts }: Line): boolean | undefined =>
  verdicts === undefined ? undefined : verdicts.right > 0 && verdicts.wrong === 0;

/** Nothing more will happen to it. */
export const isOver = (line: Line): boolean => line.stage === "silent" || line.stage === "settled";

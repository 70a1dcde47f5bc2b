import { ENDPOINTS, type Endpoint } from "./model-gateway.ts";
import { dice } from "./model-time.ts";

/** When a gateway is slow: by what most of the bounties are at. */
export const PHASES = ["always", "posting", "revealing", "settling"] as const;
export type Phase = (typeof PHASES)[number];

/** What goes wrong besides: the process dies and another goes on, requests are lost, or both. */
export const TROUBLES = ["none", "kills", "losses", "both"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** Block times that an answer takes, on average. */
export const FACTORS = [0.2, 0.7, 2, 5, 10] as const;

/** One market, in one kind of weather. */
export interface Scenario {
  readonly seed: number;
  readonly slow: readonly Endpoint[];
  readonly factor: number;
  readonly phase: Phase;
  readonly trouble: Trouble;
  readonly blockMs: number;
  readonly durationBlocks: number;
  readonly revealWindow: number;
  readonly bounties: number;
  /** So many are posted in one block. Default 1. */
  readonly atOnce?: number;
  /** Milliseconds after a block until the stream tells of it. */
  readonly streamMs: number;
  /** Share of the frames about assertions that get lost. */
  readonly deaf: number;
  /** Lists leave our assertion out until nothing can be revealed any more. Default: they are whole. */
  readonly hidden?: boolean;
}

/** Each endpoint alone, both reads of assertions, all that says what became of a transaction, and everything. */
const SLOW: readonly (readonly Endpoint[])[] = [
  ...ENDPOINTS.map((endpoint) => [endpoint]),
  ["list", "single"],
  ["receipts", "list", "single"],
  ENDPOINTS,
];
/** So many scenarios have each endpoint, phase, factor and trouble once. */
export const CELLS = SLOW.length * PHASES.length * FACTORS.length * TROUBLES.length;
/** Prime to the number of cells: a few seeds in a row are far apart. */
const STRIDE = 343;

/** The same for the same seed; seeds in a row go through all cells of the matrix. */
export function scenarioOf(seed: number): Scenario {
  const random = dice(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  let cell = (seed * STRIDE) % CELLS;
  const next = <T>(from: readonly T[]): T => {
    const item = from[cell % from.length]!;
    cell = Math.floor(cell / from.length);
    return item;
  };
  return {
    seed,
    slow: next(SLOW),
    phase: next(PHASES),
    factor: next(FACTORS),
    trouble: next(TROUBLES),
    blockMs: pick([1_000, 1_000, 1_000, 2_000, 5_000, 15_000]),
    durationBlocks: pick([4, 6, 9, 14, 25]),
    revealWindow: pick([10, 10, 10, 12, 25, 40]),
    bounties: pick([1, 3, 6]),
    streamMs: random() * 600,
    deaf: pick([0, 0.5, 1]),
    hidden: random() < 0.25,
  };
}

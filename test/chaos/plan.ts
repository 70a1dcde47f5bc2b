import { BOUNTY_STATES, type BountyState } from "../../src/domain/lifecycle.ts";
import { type Dice, dice } from "../../src/sandbox/players/dice.ts";

/** What a blow hits: a process, or the line between the engine and the gateway. */
export const VICTIMS = ["producer", "consumer", "redis", "network"] as const;
export type Victim = (typeof VICTIMS)[number];

/** A run of blows at one victim, or at all of them by turns. */
export const PHASES = ["producer", "consumers", "redis", "network", "all"] as const;
export type Phase = (typeof PHASES)[number];

export type Target = Exclude<BountyState, "abandoned">;
/** The states in which a producer is killed: all there are but the end without a stake. */
export const TARGETS: readonly Target[] = BOUNTY_STATES.filter((state) => state !== "abandoned");

/** One misfortune: the victim rests, is hit as soon as some bounty is in a state, and stays down. */
export interface Blow {
  readonly victim: Victim;
  /** The blow falls when a bounty comes into this state, or `delayMs` later. */
  readonly state: Target;
  readonly delayMs: number;
  /** Blocks that everything is left alone before the state is waited for. */
  readonly restBlocks: number;
  /** Blocks that the victim stays down; 0 brings it back at once. */
  readonly downBlocks: number;
  /** How a line is cut: every connection reset, or every byte held back until the line is mended. */
  readonly manner: "reset" | "silence";
}

/** Every so many blows there is a long rest, in which whatever is open can be answered. */
const REST_EVERY = 5;
/** Every so many blows the victim stays down for longer. */
const LONG_EVERY = 7;

/** For which of our victims a state matters, and which: a consumer has only scans, Redis is in the way of little else. */
const SCENES: Readonly<Record<Victim, readonly Target[]>> = {
  producer: TARGETS,
  consumer: ["dispatched"],
  redis: ["seen", "dispatched", "distilled"],
  // Those that a producer's log tells of: a line is cut from outside.
  network: ["seen", "dispatched", "planned", "asserted", "revealed", "settled"],
};

/**
 * The blows of one phase, the same for the same seed. States are dealt like cards, so that each comes up as often as
 * any other; half of the blows fall the moment the state is durable, half up to `maxDelayMs` later.
 * `restBlocks` is the length of a long rest.
 */
export function planBlows(
  seed: number,
  phase: Phase,
  count: number,
  { restBlocks, maxDelayMs }: { readonly restBlocks: number; readonly maxDelayMs: number },
): readonly Blow[] {
  const chance = dice("blows", phase, seed);
  const decks = new Map(VICTIMS.map((victim) => [victim, deck(SCENES[victim], chance)]));
  return Array.from({ length: count }, (_, index): Blow => {
    const victim = victimOf(phase, index);
    const isLong = index % LONG_EVERY === LONG_EVERY - 1;
    return {
      victim,
      state: decks.get(victim)!(),
      delayMs: chance.ratio() < 0.5 ? 0 : chance.below(maxDelayMs),
      restBlocks: index % REST_EVERY === 0 ? restBlocks : chance.below(4),
      downBlocks: shortest(victim) + (isLong ? 4 + chance.below(9) : 0),
      manner: chance.ratio() < 0.5 ? "reset" : "silence",
    };
  });
}

function victimOf(phase: Phase, index: number): Victim {
  if (phase === "all") return VICTIMS[index % VICTIMS.length]!;
  return phase === "consumers" ? "consumer" : phase;
}

/** A line that is mended at once was never cut. */
const shortest = (victim: Victim): number => (victim === "network" ? 2 : 0);

/** Deals cards without end, every card once before any comes again. */
function deck<Card>(cards: readonly Card[], chance: Dice): () => Card {
  let left: Card[] = [];
  return () => {
    if (left.length === 0) left = [...cards];
    return left.splice(chance.below(left.length), 1)[0]!;
  };
}

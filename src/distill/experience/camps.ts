/**
 * Who errs together. Five copies of one engine say the same five times, and that is one opinion.
 *
 * For each two backends: the correlation of their accusations among artifacts of the same truth (agreeing because both
 * are right is no sign of kinship; agreeing beyond that is), drawn towards a sceptical guess while both have answered
 * about few artifacts. Backends that are linked this way form a camp. `shared` is the part of a backend's word that a fellow
 * of its camp has as well: the camp says the shared part once, in the strongest voice, and each member the rest.
 */
import { highest } from "../../domain/extremes.ts";
import type { Precedent } from "./precedent.ts";

export interface Camps {
  /** By backend. Those without an entry are newcomers. */
  readonly members: ReadonlyMap<string, Membership>;
}

interface Membership {
  readonly camp: string;
  /** 0 for a backend that is alone, 1 for one that only repeats what another says. */
  readonly shared: number;
}

/** What two backends are taken to share before anything is known of them. */
const GUESS = 0.3;
/** The guess weighs as much as so many artifacts that both answered about. */
const GUESS_WEIGHT = 50;
/** From here on two backends are fellows. */
const LINKED = 0.25;

/** New backends are taken for one camp: it is not known yet which of them copies another. */
export const NEWCOMER: Membership = { camp: "", shared: GUESS };
export const NO_CAMPS: Camps = { members: new Map() };

/** Sums over the artifacts of one truth that two backends both answered about; accusing is 1, any other answer is 0. */
interface Pair {
  n: number;
  x: number;
  y: number;
  xy: number;
}

export function findCamps(precedents: readonly Precedent[]): Camps {
  const names = [...new Set(precedents.flatMap(({ statements }) => statements.map((s) => s.backend)))].sort();
  const index = new Map(names.map((name, position) => [name, position]));
  const pairs = new Map<number, readonly [Pair, Pair]>();
  for (const { truth, statements } of precedents) {
    for (const [position, one] of statements.entries()) {
      for (const other of statements.slice(position + 1)) {
        const key = index.get(one.backend)! * names.length + index.get(other.backend)!;
        const pair = pairs.get(key) ?? ([emptyPair(), emptyPair()] as const);
        pairs.set(key, pair);
        add(pair[truth], one.side === "accuses" ? 1 : 0, other.side === "accuses" ? 1 : 0);
      }
    }
  }
  const kinship = (a: number, b: number): number =>
    correlation(pairs.get(Math.min(a, b) * names.length + Math.max(a, b)));
  return { members: memberships(names, kinship) };
}

const emptyPair = (): Pair => ({ n: 0, x: 0, y: 0, xy: 0 });

function add(pair: Pair, x: number, y: number): void {
  pair.n++;
  pair.x += x;
  pair.y += y;
  pair.xy += x * y;
}

/** Pooled over both truths, drawn towards the guess, never negative. */
function correlation(pair: readonly [Pair, Pair] | undefined): number {
  if (pair === undefined) return GUESS;
  let [covariance, xVariance, yVariance, artifacts] = [0, 0, 0, 0];
  for (const { n, x, y, xy } of pair) {
    if (n === 0) continue;
    covariance += xy - (x * y) / n;
    xVariance += x - x ** 2 / n;
    yVariance += y - y ** 2 / n;
    artifacts += n;
  }
  const scale = Math.sqrt(xVariance * yVariance);
  // Backends of which one never varies: their record says nothing of what they share.
  if (scale === 0) return GUESS;
  const found = Math.max(0, covariance / scale);
  return (artifacts * found + GUESS_WEIGHT * GUESS) / (artifacts + GUESS_WEIGHT);
}

/** A backend that is linked to a member is a member; a camp has the name of its first. */
function memberships(
  names: readonly string[],
  kinship: (a: number, b: number) => number,
): ReadonlyMap<string, Membership> {
  const camps = names.map((_, position) => position);
  for (const a of names.keys()) {
    for (let b = a + 1; b < names.length; b++) {
      if (kinship(a, b) < LINKED) continue;
      const [kept, joined] = [Math.min(camps[a]!, camps[b]!), Math.max(camps[a]!, camps[b]!)];
      for (const [position, camp] of camps.entries()) if (camp === joined) camps[position] = kept;
    }
  }
  return new Map(
    names.map((name, a) => {
      const fellows = [...names.keys()].filter((b) => b !== a && camps[b] === camps[a]);
      const shared = Math.max(0, highest(fellows.map((b) => kinship(a, b))));
      return [name, { camp: names[camps[a]!]!, shared }];
    }),
  );
}

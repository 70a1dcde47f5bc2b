/**
 * What an answer says, in the few words that a record can be kept of. A scanner's own confidence counts twice: it chooses
 * the band, so that the sure and the unsure answers of a backend have records of their own, and it is what a backend
 * without a record is believed by, sceptically.
 */
import type { PastAnswer } from "../../domain/settled.ts";
import { edgeOf, type Ppm, ppm, ratioOf } from "../../domain/verdict.ts";

const SAYINGS = [
  "malicious-sure",
  "malicious",
  "malicious-unsure",
  "suspicious",
  "no-match",
  "benign-unsure",
  "benign",
  "benign-sure",
] as const;
/** A verdict in three bands of confidence: up to 0.5, below 0.8, and from there. */
export type Saying = (typeof SAYINGS)[number];

export interface Statement {
  readonly backend: string;
  readonly saying: Saying;
  readonly side: "accuses" | "defends";
  /**
   * P(malicious) that the statement alone would stand for at even odds if its backend had no record, more than 0 and
   * less than 1.
   */
  readonly claim: number;
  /** Whether a verdict may rest on it: not on a suspicion, nor on a silence that the operator gave no worth. */
  readonly carries: boolean;
}

/** An unknown backend is believed nine tenths of the edge that it claims. */
const TRUST = 0.9;
/** The bands: right at least four times in five, and not above even odds. */
const [SURE, UNSURE] = [ppm(0.8), ppm(0.5)];
/** A suspicion that is sure of itself is worth a tenth of an accusation that is. */
const SUSPICION = 0.1;

/**
 * `undefined` for an answer that says nothing of the artifact. That a backend failed, was late, could not tell or does
 * not take such files says something of the backend and its machine: it never makes an artifact more or less malicious.
 */
export function statementOf(answer: PastAnswer, silence: ReadonlyMap<string, Ppm>): Statement | undefined {
  const { backend, verdict } = answer;
  const sure = ppm(answer.confidence);
  switch (verdict) {
    case "malicious":
      return { backend, saying: banded("malicious", sure), ...accuses(edge(sure)), carries: true };
    case "benign":
      return { backend, saying: banded("benign", sure), ...defends(edge(sure)), carries: true };
    case "suspicious":
      return { backend, saying: "suspicious", ...accuses(ratioOf(sure) * SUSPICION), carries: false };
    case "unknown": {
      if (answer.reason !== "no-match") return undefined;
      const worth = silence.get(backend);
      return { backend, saying: "no-match", ...defends(edge(worth ?? ppm(0))), carries: worth !== undefined };
    }
  }
}

const edge = (chance: Ppm): number => ratioOf(edgeOf(chance));

type Stance = Pick<Statement, "side" | "claim">;
/** For an edge that the scanner claims, 0 to 1. */
const accuses = (claimed: number): Stance => ({ side: "accuses", claim: (1 + TRUST * claimed) / 2 });
const defends = (claimed: number): Stance => ({ side: "defends", claim: (1 - TRUST * claimed) / 2 });

const banded = (verdict: "malicious" | "benign", sure: Ppm): Saying =>
  sure >= SURE ? `${verdict}-sure` : sure > UNSURE ? verdict : `${verdict}-unsure`;

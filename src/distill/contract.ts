/**
 * The contract of a distillation engine; published as `microengine/distill`. docs/distillation.md explains it by example.
 * A module exports `distillEngine`, either a `DistillModule` or a function that returns one. It is pure: whatever it wants
 * to know comes in. It runs in the process that holds the wallet, so use only code you trust.
 */
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import type { Ppm, Verdict } from "../domain/verdict.ts";
import type { Reliability } from "./experience/reliability.ts";

export type { Opinion } from "../domain/opinion.ts";
export type { ScanAnswer } from "../domain/scan.ts";
export type { Verdict } from "../domain/verdict.ts";
export type { Reliability, StatementCounts } from "./experience/reliability.ts";

/** What the backends said of one artifact, and who was asked. */
export interface Testimony {
  /** Backends the artifact was sent to. */
  readonly asked: readonly string[];
  /** At most one answer per backend; fewer than asked when the deadline came first. */
  readonly answers: readonly ScanAnswer[];
}

/** What is known before any backend answers. */
export interface Knowledge {
  /** Backends whose `no-match` on such an artifact means benign, with the chance that it does (`--benign`). */
  readonly silence: ReadonlyMap<string, Ppm>;
  /** What settled bounties taught about the backends. */
  readonly reliability: Reliability;
}

/** Makes one opinion of what the backends said. */
export interface DistillEngine {
  readonly name: string;
  distill(testimony: Testimony, knowledge: Knowledge): Opinion;
}

/** What a module answers about one artifact. Ratios from 0 to 1. */
export interface Judgement {
  readonly verdict: Verdict;
  /** P(malicious): above one half for `malicious`, below it for `benign`. */
  readonly probability: number;
  /** Around `probability`; wider the less is known. Without one, nothing is claimed: 0 to 1. */
  readonly interval?: readonly [low: number, high: number];
  /** Without one: the family that the most confident agreeing backend names. */
  readonly family?: string;
  /** A few words for logs. Without them: who said what. */
  readonly reason?: string;
}

/** An engine as an operator writes it. It must answer at once: a promise is no judgement. */
export interface DistillModule {
  readonly name: string;
  judge(testimony: Testimony, knowledge: Knowledge): Judgement;
}

/** Gives an object literal the type of a distillation engine. */
export const defineDistillEngine = (engine: DistillModule): DistillModule => engine;

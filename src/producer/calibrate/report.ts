import { hindsight } from "../../distill/experience/learn.ts";
import { precedentsOf } from "../../distill/experience/precedent.ts";
import { type Score, type Stated, scoreOf } from "../../distill/experience/scoring.ts";
import type { TypeClass } from "../../distill/experience/type-class.ts";
import type { SettledArtifact } from "../../domain/settled.ts";
import type { Silence } from "../../domain/silence.ts";
import { ratioOf } from "../../domain/verdict.ts";

/** A share of a few: how many of how many, and where the true share may lie (nine tenths, Wilson). */
export interface SampleShare {
  readonly of: number;
  readonly share: number;
  readonly interval: readonly [low: number, high: number];
}

/** What became of a backend's word, over all types (`all`) or over one class of them. */
interface BackendReport {
  readonly backend: string;
  readonly types: TypeClass | "all";
  /** Settled artifacts of which it said something: a verdict, or that it found nothing. */
  readonly heard: number;
  /** Of the malicious ones, the share that it called malicious; undefined when there were none. */
  readonly sensitivity: SampleShare | undefined;
  /** Of the benign ones, the share that it did not call malicious. */
  readonly specificity: SampleShare | undefined;
}

export interface CalibrationReport {
  /** Settled artifacts looked at, and how many of them were malicious. */
  readonly settled: number;
  readonly malicious: number;
  /** The verdicts, malicious or benign, that were given at the time. Undefined when there were none. */
  readonly given: Score | undefined;
  /** What `bayes` would say of every artifact that a backend spoke about, by what the rest of history teaches. */
  readonly bayes: Score | undefined;
  readonly backends: readonly BackendReport[];
}

export function reportOn(history: readonly SettledArtifact[], silence: Silence): CalibrationReport {
  return {
    settled: history.length,
    malicious: history.filter(({ malicious }) => malicious).length,
    given: scoreOf(history.flatMap(givenFor)),
    bayes: scoreOf(hindsight(history, silence)),
    backends: backendReports(history, silence),
  };
}

function givenFor({ given, malicious }: SettledArtifact): readonly Stated[] {
  if (given === null || (given.verdict !== "malicious" && given.verdict !== "benign")) return [];
  return [{ probability: ratioOf(given.probability), malicious }];
}

interface Word {
  readonly backend: string;
  readonly types: TypeClass;
  readonly accused: boolean;
  readonly truth: 0 | 1;
}

function backendReports(history: readonly SettledArtifact[], silence: Silence): readonly BackendReport[] {
  const words = precedentsOf(history, silence).flatMap(({ truth, typeClass, statements }) =>
    statements.map(({ backend, side, carries }): Word => {
      return { backend, types: typeClass, accused: side === "accuses" && carries, truth };
    }),
  );
  return [...Map.groupBy(words, ({ backend }) => backend)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([backend, all]) => {
      const classes = [...Map.groupBy(all, ({ types }) => types)].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return [
        backendReport(backend, "all", all),
        ...(classes.length < 2 ? [] : classes.map(([types, some]) => backendReport(backend, types, some))),
      ];
    });
}

function backendReport(backend: string, types: TypeClass | "all", words: readonly Word[]): BackendReport {
  const [benign, malicious] = [
    words.filter(({ truth }) => truth === 0),
    words.filter(({ truth }) => truth === 1),
  ];
  return {
    backend,
    types,
    heard: words.length,
    sensitivity: shareOf(malicious, ({ accused }) => accused),
    specificity: shareOf(benign, ({ accused }) => !accused),
  };
}

const Z_90 = 1.645;

function shareOf(words: readonly Word[], fits: (word: Word) => boolean): SampleShare | undefined {
  const of = words.length;
  if (of === 0) return undefined;
  const share = words.filter(fits).length / of;
  const z2n = Z_90 ** 2 / of;
  const middle = (share + z2n / 2) / (1 + z2n);
  const reach = Math.sqrt(share * (1 - share) * z2n + z2n ** 2 / 4) / (1 + z2n);
  return { of, share, interval: [Math.max(0, middle - reach), Math.min(1, middle + reach)] };
}

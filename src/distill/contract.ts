import type { ScanAnswer } from "../domain/scan.ts";

export type { Opinion } from "../domain/opinion.ts";

/** What the backends said of one artifact, and who was asked. */
export interface Testimony {
  /** Backends the artifact was sent to. */
  readonly asked: readonly string[];
  /** At most one answer per backend; fewer than asked when the deadline came first. */
  readonly answers: readonly ScanAnswer[];
}

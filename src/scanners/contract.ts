/**
 * The contract of an analysis backend; published as `microengine/scanner`. docs/writing-a-scanner.md explains it by
 * example.
 *
 * A scanner module exports `scanner`, either a `Scanner` or a function that returns one. It runs in a process of its
 * own that holds no secret, may be synchronous and CPU-bound, and is killed when it overruns the deadline.
 */
import type { Accepts } from "../domain/accepts.ts";
import type { ArtifactClaim, ArtifactKind } from "../domain/artifact.ts";
import type { Verdict } from "../domain/verdict.ts";

export type { Accepts } from "../domain/accepts.ts";
export type { ArtifactClaim, ArtifactKind } from "../domain/artifact.ts";
export type { Verdict } from "../domain/verdict.ts";

/** An artifact as a scanner sees it. */
export interface Artifact {
  readonly kind: ArtifactKind;
  /** The content. For a URL artifact: the UTF-8 text of the URL. */
  readonly bytes: Uint8Array;
  /** A file with the same content, made on first use and gone after the scan. */
  path(): Promise<string>;
  /** SHA-256 of the content, lower-case hex. */
  readonly sha256: string;
  /** MIME types found in the content, most specific first. */
  readonly types: readonly string[];
  /** What the ambassador claims of the artifact. By a stranger: do not trust it. */
  readonly claim: ArtifactClaim;
}

export interface ScanContext {
  /** Aborts at the deadline. A scanner that ignores it is killed shortly after. */
  readonly signal: AbortSignal;
  /** Unix milliseconds after which the answer is worthless. */
  readonly deadline: number;
}

/**
 * A scanner's opinion. `unknown` is an honest answer and costs nothing; `benign` is a bet that the file is clean.
 */
export interface Finding {
  readonly verdict: Verdict;
  /** 0..1: how often the scanner is right when it says this. Default 1 for malicious and benign, 0.5 for suspicious, 0 for unknown. */
  readonly confidence?: number;
  /** Name of the malware family, "" or absent when there is none. */
  readonly family?: string;
  /** For `unknown`: a sentence saying why. */
  readonly detail?: string;
  /** Added to the assertion metadata of this artifact; see docs/writing-a-scanner.md for the known keys. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a scanner may say and leave behind, besides its findings. */
export interface ScannerHost {
  /** A sentence for the operator, in the consumer's log. The same one from several processes at once is logged once. */
  tell(level: "info" | "warn", sentence: string): void;
  /**
   * What a process of this scanner left to those that come after it, `undefined` in the first. Processes are replaced
   * now and then; what only they knew would be lost.
   */
  readonly inherited: unknown;
  /** Leaves something to the processes that come after this one: data that structured clone can copy. */
  bequeath(state: unknown): void;
  /**
   * True in one process of the scanner at a time: it may take long to set up, the others wait for scans meanwhile. The
   * consumer prefers it when it is ready.
   */
  readonly lead: boolean;
  /**
   * A number that the consumer shows among its metrics, as `scanner_value` of this backend, until it is given anew. Names
   * are of lower-case letters and underscores; the first 16 count.
   */
  measure(name: string, value: number): void;
}

/**
 * What a scanner that asks to be confined may still do. docs/isolation.md says what confinement stops and what it does not.
 */
export interface Confinement {
  /**
   * Files and folders that it reads, besides its own module, installed packages and the artifact; relative to the module's
   * folder. A module that imports others beside it names them here.
   */
  readonly read?: readonly string[];
  /** Whether it loads native addons. They are bound by none of this but the loss of the network. */
  readonly addons?: boolean;
}

export interface Scanner {
  /** Lower-case letters, digits and dashes; names the queue. */
  readonly name: string;
  /** Three numbers with dots, as the marketplace's metadata schema wants it. */
  readonly version: string;
  readonly accepts?: Accepts;
  /**
   * Asks for processes that read only what is named here, write only temporary files, start no programs and, where the
   * system allows it, reach no network: for scanners that need none of that to look at hostile files. Default: not confined.
   */
  readonly confine?: Confinement;
  /** Called once per scanner process, before the first scan. Throwing stops the consumer with the message. */
  setup?(host: ScannerHost): void | Promise<void>;
  /** A thrown error becomes `unknown` with the reason `scanner-error`. */
  scan(artifact: Artifact, context: ScanContext): Finding | Promise<Finding>;
  /**
   * For a scanner that depends on a service: whether that can be used now. Asked every few seconds once the scanner is set
   * up, also between scans. Throwing says it cannot, with the message; the consumer goes on and says it is not ready.
   */
  check?(signal: AbortSignal): void | Promise<void>;
  /** Called once when the scanner process ends in good order. */
  teardown?(): void | Promise<void>;
}

/**
 * What the operator set for a built-in backend, handed to the function that makes the scanner; plain JSON. Modules given
 * by path get none, and read their own from the environment.
 */
export type ScannerSettings = Readonly<Record<string, unknown>>;

/** What is known of a backend without running it: its name, version and what it takes. */
export interface BackendDescription {
  readonly name: string;
  readonly version: string;
  readonly accepts: Accepts;
}

/** Gives an object literal the type of a scanner. */
export const defineScanner = (scanner: Scanner): Scanner => scanner;

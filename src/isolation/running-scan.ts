/**
 * One scan, from its request to how it ended.
 *
 *     running ──the process answers──────► over   finding, thrown, unsendable; timeout for an error at the deadline
 *        ├──────its signal aborts────────► over   cancelled, and the process is killed; at the deadline it is ignored
 *        ├──────graceMs past the deadline► over   timeout, and the process is killed
 *        ├──────no content to hand over──► over   not-handed-over, and the process is killed
 *        └──────the process ended────────► over   crashed, out-of-memory; cancelled when its worker was closed
 *
 * The first end counts, and those after it are nothing. `outcome` never rejects.
 */

import { timerUntil } from "../async/long-timer.ts";
import type { Artifact } from "../scanners/contract.ts";
import type { FromWorker } from "./worker-messages.ts";

export interface ScanRequest extends Omit<Artifact, "path"> {
  /** Unix milliseconds. */
  readonly deadline: number;
}

/** How a process ended that was not told to. */
export interface Death {
  readonly kind: "crashed" | "out-of-memory";
  readonly detail: string;
}

/** How a scan ended. */
export type ScanOutcome =
  | { readonly kind: "finding"; readonly finding: unknown }
  | { readonly kind: "thrown" | "unsendable" | "not-handed-over"; readonly detail: string }
  | Death
  | { readonly kind: "timeout" | "cancelled" };

interface ScanTerms {
  readonly signal: AbortSignal;
  /** How long after its deadline it may still end by itself. */
  readonly graceMs: number;
  /** Ends the process, which hears nothing else when it is in an endless loop. */
  readonly kill: () => void;
}

/** A timer may fire this much before its time; an abort this close to the deadline is the deadline. */
const TIMER_SLACK_MS = 20;

export class RunningScan {
  readonly outcome: Promise<ScanOutcome>;
  readonly #id: number;
  readonly #deadline: number;
  readonly #terms: ScanTerms;
  readonly #resolve: (outcome: ScanOutcome) => void;
  readonly #timer: NodeJS.Timeout;

  /** `id` is what the process's answer is known by. */
  constructor(id: number, deadline: number, terms: ScanTerms) {
    this.#id = id;
    this.#deadline = deadline;
    this.#terms = terms;
    const { promise, resolve } = Promise.withResolvers<ScanOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.stop({ kind: "timeout" }), timerUntil(deadline + terms.graceMs));
    terms.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (terms.signal.aborted) this.#onAbort();
  }

  end(outcome: ScanOutcome): void {
    this.#resolve(outcome);
    clearTimeout(this.#timer);
    this.#terms.signal.removeEventListener("abort", this.#onAbort);
  }

  /** Ends it, and the process with it. */
  stop(outcome: ScanOutcome): void {
    this.end(outcome);
    this.#terms.kill();
  }

  /** Ignores what is no answer to this scan. */
  hear(message: FromWorker | undefined): void {
    if (message === undefined || !("id" in message) || message.id !== this.#id) return;
    if (message.type === "finding") this.end({ kind: "finding", finding: message.finding });
    // A scanner that heeds its signal gives up with an error of its own.
    else if (Date.now() >= this.#deadline - TIMER_SLACK_MS) this.end({ kind: "timeout" });
    else this.end({ kind: message.type, detail: message.message });
  }

  readonly #onAbort = (): void => {
    if (this.#deadline - Date.now() > TIMER_SLACK_MS) this.stop({ kind: "cancelled" });
  };
}

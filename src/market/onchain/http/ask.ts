import type { Manner } from "./in-flight.ts";
import type { Lane } from "./lane.ts";
import type { AnswerLimits } from "./limits.ts";

/** One request to the gateway. */
export interface Ask {
  /** What is asked for, as error messages name it: "the parameters", "posting a transaction". */
  readonly what: string;
  readonly method: "GET" | "POST" | "OPTIONS";
  /** Below the base address, with a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON, also with GET, which is how this gateway asks for receipts. */
  readonly body?: unknown;
  readonly lane: Lane;
  /** Whether it may be sent again when it is not known whether it arrived. Default: only a GET may. */
  readonly repeatable?: boolean;
  /** A 404 may be a one-second timeout of the artifact service in disguise: try that again too. */
  readonly hasty404?: boolean;
  /** Milliseconds for the first attempt, answer included; doubles with each that took longer. Default 10 s. */
  readonly timeoutMs?: number;
  /** Milliseconds after which the same is asked once more beside it. Default never. */
  readonly hedgeMs?: number;
  /**
   * Milliseconds after which nothing is waited for or tried again: the pauses of our rate (default: the gateway's
   * patience), and the attempts after trouble (default: however long they take).
   */
  readonly patienceMs?: number;
  /** How much of the answer is taken. Default: `LIMITS.medium`. */
  readonly limits?: AnswerLimits;
  /** Told which keys held more than the limits allow, and came out as null. */
  readonly onLeftOut?: (keys: ReadonlySet<string>) => void;
  readonly signal?: AbortSignal | undefined;
  /**
   * Aborts when nothing waits for the answer any more: a request on its way then goes on without a slot, one that waits for a
   * slot is given up.
   */
  readonly unheeded?: AbortSignal | undefined;
  /** How the answer comes; see in-flight.ts. Default: at once. */
  readonly manner?: Manner;
}

/** Takes requests for one gateway. */
export interface Asker {
  /** The `result` of the answer. Throws MarketFault, or the reason of the caller's signal. */
  ask(ask: Ask): Promise<unknown>;
  /** Whether nothing is to be waited for any more: see presence.ts. Default: never. */
  gone?(): boolean;
}

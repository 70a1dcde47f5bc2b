import type { Action } from "../../../wallet/transaction.ts";
import type { Lane } from "../http/lane.ts";
import type { Journal } from "../port/marketplace.ts";

/** An action, with what building, signing and posting its transactions needs. */
export interface ActionRequest {
  readonly action: Action;
  readonly lane: Lane;
  /** Where the gateway builds the transactions, and from what. Building changes nothing and may be repeated. */
  readonly path: string;
  readonly body?: unknown;
  /** Told what was signed, before it is sent. */
  readonly journal: Journal;
  readonly signal?: AbortSignal | undefined;
  /** Called when the request to build leaves. */
  readonly onRequest?: (() => void) | undefined;
}

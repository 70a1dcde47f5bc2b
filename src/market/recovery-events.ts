import type { Guid } from "../domain/guid.ts";
import type { Logger } from "../observe/log.ts";

/**
 * What `recover`, and a producer's look for a lost ledger's stakes, tell besides what the producer's duties tell. Named as
 * ProducerEvents are.
 */
export interface RecoverEvents {
  /** `moment` is now, in the time of the marketplace: the newest block of a chain. */
  "recover.begun": { market: string; account: string; moment: number };
  /** Told every few hundred bounties, the newest first, and at the end of the list. */
  "recover.looked": { market: string; bounties: number; assertions: number };
  /** The artifacts of a bounty are scanned anew, to know which verdicts to try first. */
  "recover.rescanning": { guid: Guid; artifacts: number };
  /** No consumer can be reached: verdicts are tried in an order that knows nothing of the artifacts. */
  "recover.no-rescan": { reason: string };
  "recover.rebuilt": { guid: Guid; artifacts: number; revealed: boolean; tries: number };
  "recover.not-rebuilt": { guid: Guid; why: NotRebuilt; detail: string };
  /** It is not known whether there is an assertion of ours on this bounty. */
  "recover.unread": { guid: Guid; reason: string };
  /** The list of bounties could not be read to its end. */
  "recover.cut-short": { market: string; reason: string };
  /** A producer starts on a ledger that may stand for one that was lost, and looks for what that one had promised. */
  "recover.at-start": { market: string; account: string; hint: string };
  /** Whether a ledger was lost cannot be found out yet, and bounties wait for it. It is tried again; told once for each reason. */
  "recover.delayed": { market: string; reason: string };
  /** It found none of it among the bounties that can still be revealed. */
  "recover.nothing-lost": { market: string };
  /** It found some; `known` was adopted by an earlier start that did not come to the end. */
  "recover.salvaged": { market: string; rebuilt: number; known: number; notRebuilt: number; hint: string };
  /** Redis cannot say whether a producer works with this wallet somewhere else. */
  "recover.no-lease": { reason: string };
}

/**
 * - `another-program`  our nonce does not open the commitment, whatever the verdicts: the wallet asserted with something
 *                      else than microengine, or on other contracts.
 * - `too-many`         there are more verdicts than were tried.
 * - `ledger-differs`   the ledger holds another answer of ours, which may still be posted for all it knows.
 */
type NotRebuilt = "another-program" | "too-many" | "ledger-differs";

export type TellRecover = <Name extends keyof RecoverEvents>(event: Name, facts: RecoverEvents[Name]) => void;

const WARNINGS: readonly (keyof RecoverEvents)[] = [
  "recover.no-rescan",
  "recover.not-rebuilt",
  "recover.unread",
  "recover.cut-short",
  "recover.delayed",
  "recover.salvaged",
  "recover.no-lease",
];

export const tellRecoverLog =
  (log: Logger<keyof RecoverEvents>): TellRecover =>
  (event, facts) => {
    const entry: object = facts;
    log[WARNINGS.includes(event) ? "warn" : "info"](entry, event);
  };

import { RecentKeys } from "../../async/recent-keys.ts";
import type { Guid } from "../../domain/guid.ts";
import type { AbandonReason } from "../../domain/lifecycle.ts";
import type { Logger } from "../../observe/log.ts";
import type { SkipReason } from "../../triage/triage.ts";

/**
 * What a producer tells, by name. Dashboards, alerts and `microengine demo` hang on these names and fields: rename one
 * as you would a column. Amounts are decimal NCT as text.
 */
export interface ProducerEvents {
  /**
   * We listen to the marketplace, and a bounty that is posted now is answered, but for what `unserved` backends would say:
   * no consumer takes their jobs yet.
   */
  "producer.ready": {
    account: string;
    market: string;
    head: number;
    backends: readonly string[];
    unserved: readonly string[];
    strategy: string;
    /** The registry takes no new bounties: we assert nothing, and keep what was promised. */
    deprecated: boolean;
  };
  /** What can be staked at most, in words: "1 NCT", "10% of the wallet", "none". */
  "producer.limits": {
    perArtifact: string;
    perBounty: string;
    perHour: string;
    atRisk: string;
    leftInWallet: string;
    fee: string;
    stopLoss: string;
  };
  /** `promised` bounties still need a post, a reveal or a settlement of ours: be back before their reveals are due. */
  "producer.stopping": { promised: number; unpromised: number; atRisk: string };
  "producer.stopped": { promised: number; atRisk: string };
  /**
   * The first thing that a start does: the reveals that an earlier run had signed were sent, so many milliseconds after the process
   * began. Whether they arrived is looked into.
   */
  "reveals.handed-over": { market: string; reveals: number; sinceStartMs: number };
  /** Promises of an earlier run are being kept; nothing else has begun. */
  "producer.keeping-promises": { market: string; promised: number; head: number };
  /** New bounties cannot be answered; what was promised is kept, and it is tried again. Told once for each reason. */
  "producer.not-answering": { reason: string; promised: number };
  /**
   * The chain knows neither our transactions nor our bounties: it is another one than the ledger's, begun anew. All that was
   * open is written off.
   */
  "market.begun-anew": { market: string; bounties: number; written: number; atRisk: string; hint: string };
  /** It was not: the node has its blocks again, and what may be staked of what was written off is promised again. */
  "market.came-back": { market: string; bounties: number };
  /** A backend has a consumer again, or has none any more. */
  "backend.served": { backend: string };
  "backend.unserved": { backend: string };
  /** What an earlier run had signed, and may not have sent, is with the node. */
  "producer.handed-over": { market: string; actions: number };
  "producer.handing-over-failed": { market: string; reason: string };
  /**
   * None of our transactions is mined although some are signed: those from the first missing account nonce on are handed
   * over again, byte for byte.
   */
  "nonces.handed-over": { market: string; nonce: string; transactions: number };
  "nonces.handing-over-failed": { market: string; reason: string };
  /** Bounties of an earlier run that are taken up again. */
  "producer.resumed": { market: string; promised: number; unpromised: number };
  /** Others on this machine may look into the data directory, where the ledger is. */
  "data-dir.open": { folder: string; hint: string };
  /** Another producer holds the wallet's lease: nothing new is promised, and `promised` bounties are seen to their end. */
  "lease.lost": { account: string; reason: string; promised: number };
  /** The lease is ours again: bounties are answered. */
  "lease.regained": { account: string };

  "market.connected": { market: string };
  "market.disconnected": { market: string; reason: string };
  "market.parameters": { market: string; assertionFee: string; revealWindow: number; voteWindow: number };
  "market.deprecated": { market: string; rollover: boolean };
  /** `proof` is a bounty posted after the deprecation: the registry takes bounties again, and we missed the news. */
  "market.undeprecated": { market: string; proof?: Guid };
  /** The list of bounties could not be read to its end; told once, and tried again at every block. */
  "backfill.delayed": { market: string; reason: string };

  /** Too much was lost over the window: nothing new is asserted; reveals and settlements go on. */
  "stop-loss.tripped": { lost: string; limit: string; windowHours: number };
  /** Less than the limit was lost over the window by now: bounties are answered again. */
  "stop-loss.released": { lost: string; limit: string; windowHours: number };

  /** A bounty left alone at first sight; nothing was written down. */
  "bounty.skipped": {
    guid: Guid;
    why: "wrong-kind" | "deprecated" | "stop-loss" | "lease-lost" | "too-many" | "no-address";
  };
  /** So many bounties are in work that further ones are left alone; those that are still open when there is room are found then. */
  "bounties.too-many": { inWork: number };
  /** A bounty whose event never came, found in the marketplace's list. */
  "bounty.backfilled": { guid: Guid; blocksLeft: number };
  "bounty.seen": { guid: Guid; kind: string; artifacts: number; reward: string; expiration: number };
  /** The block in which it expires, and with it the reveal, is another than the one that was told at first. */
  "bounty.expiration-corrected": { guid: Guid; from: number; to: number };
  "artifact.skipped": {
    guid: Guid;
    artifact: number;
    why: SkipReason | "unreadable" | "rate-limited";
    detail: string;
  };
  "bounty.dispatched": { guid: Guid; jobs: number; answerWithinMs: number };
  /** A consumer's answer came in. */
  "artifact.answered": {
    guid: Guid;
    artifact: number;
    backend: string;
    verdict: string;
    confidence: number;
    why?: string;
    scanMs: number;
  };
  /**
   * Jobs of a bounty that were not answered when its time was up: too few consumers, or none for this backend. At
   * `debug` from the second bounty on, until the backend answers.
   */
  "backend.silent": { guid: Guid; backend: string; jobs: number };
  "artifact.distilled": { guid: Guid; artifact: number; verdict: string; confidence: number; reason: string };
  /** An end without a stake. */
  "bounty.abandoned": { guid: Guid; why: AbandonReason; detail?: string };
  /** Commitment, nonce and stakes are in the ledger; nothing was sent. */
  "assertion.planned": {
    guid: Guid;
    artifacts: number;
    stake: string;
    /** What was bid on, 0..1, one for each artifact: our opinion's, changed by the operator's modifiers. */
    confidences: readonly number[];
  };
  /** The assertion is on the market. `ms` is from hearing of the bounty until the request for it left. */
  "assertion.posted": { guid: Guid; index: number; stake: string; ms: number | null };
  "assertion.unconfirmed": { guid: Guid; reason: string };
  /** The contract holds another assertion of this account, of which the ledger knows nothing: ours was refused. */
  "assertion.another-stands": { guid: Guid; index: number; hint: string };
  "assertion.revealed": { guid: Guid; index: number };
  /** The reveal window closed on us; the stake counts as wrong wherever an arbiter voted. */
  "assertion.reveal-missed": { guid: Guid; stake: string };
  "assertion.settled": { guid: Guid; payout: string; profit: string; right: number; wrong: number };
  /**
   * A settlement of ours came, and what it is said to have paid is not what the contract's own record comes to: the
   * payout is written down as unknown, and counts for nothing.
   */
  "settlement.unverified": { guid: Guid; claimed: string; owed: string; why: string };
  /** The market does not show any more what it did: blocks were taken back. The same bytes are handed over again. */
  "assertion.vanished": { guid: Guid; what: "assertion" | "reveal" | "settlement" };
  /** A duty towards the market did not succeed this time; it is tried again. */
  "duty.failed": { guid: Guid; duty: string; reason: string; attempt: number };
  /**
   * A post, a reveal or a settlement is due for `blocks` blocks and not known to be done; told once for each. `reason` is
   * why the last attempt did not succeed, absent while the first is still under way.
   */
  "duty.overdue": { guid: Guid; duty: string; state: string; blocks: number; reason?: string };
  /** The disk is full or broken: nothing new is promised; what was promised is revealed and settled all the same. */
  "ledger.unwritable": { market: string; reason: string };
  /** There is room again; `written` is how much was waiting for it. */
  "ledger.writable": { market: string; written: number };
  /** Something we did not foresee went wrong with one bounty; the others go on. */
  "bounty.failed": { guid: Guid; reason: string };
}

export type Tell = <Name extends keyof ProducerEvents>(event: Name, facts: ProducerEvents[Name]) => void;

const LEVELS: Partial<Record<keyof ProducerEvents, "debug" | "warn" | "error">> = {
  "bounty.skipped": "debug",
  "artifact.skipped": "debug",
  "artifact.answered": "debug",
  "artifact.distilled": "debug",
  "bounty.dispatched": "debug",
  "data-dir.open": "warn",
  "lease.lost": "error",
  "market.disconnected": "warn",
  "producer.handing-over-failed": "warn",
  "nonces.handed-over": "warn",
  "nonces.handing-over-failed": "warn",
  "producer.not-answering": "error",
  "market.begun-anew": "error",
  "market.came-back": "warn",
  "backfill.delayed": "warn",
  "backend.silent": "warn",
  "backend.unserved": "warn",
  "bounties.too-many": "warn",
  "bounty.expiration-corrected": "warn",
  "market.deprecated": "warn",
  "stop-loss.tripped": "warn",
  "stop-loss.released": "warn",
  "assertion.unconfirmed": "warn",
  "assertion.another-stands": "warn",
  "duty.failed": "warn",
  "duty.overdue": "warn",
  "assertion.vanished": "warn",
  "settlement.unverified": "warn",
  "assertion.reveal-missed": "error",
  "ledger.unwritable": "error",
  "bounty.failed": "error",
};

const BACKENDS_KNOWN = 1_000;

/** Tells the log; `also` hears everything as well (metrics). A backend that stays silent is warned of once. */
export function tellLog(log: Logger<keyof ProducerEvents>, also?: Tell): Tell {
  const silent = new RecentKeys(BACKENDS_KNOWN);
  return (event, facts) => {
    const entry: object = facts;
    const { backend = "" } = entry as { readonly backend?: string };
    const known = event === "backend.silent" && !silent.add(backend);
    if (event === "artifact.answered") silent.delete(backend);
    log[known ? "debug" : (LEVELS[event] ?? "info")](entry, event);
    also?.(event, facts);
  };
}

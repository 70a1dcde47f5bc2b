import { RecentKeys } from "../../async/recent-keys.ts";
import type { MarketDetails } from "../../domain/bounty.ts";
import type { Guid } from "../../domain/guid.ts";
import type { MarketTells } from "../../market/events.ts";
import type { Logger } from "../../observe/log.ts";
import type { SkipReason } from "../../triage/triage.ts";

/**
 * What a producer tells, by name. Dashboards, alerts and `microengine demo` hang on these names and fields: rename one
 * as you would a column. Amounts are decimal NCT as text.
 */
export interface ProducerEvents extends MarketTells {
  /**
   * We listen to the marketplace, and a bounty that is posted now is answered, but for what `unserved` backends would say:
   * no consumer takes their jobs yet.
   */
  "producer.ready": {
    account: string;
    market: string;
    /** Now, in the time of the marketplace: the newest block of a chain. */
    moment: number;
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
  /** Promises of an earlier run are being kept; nothing else has begun. */
  "producer.keeping-promises": { market: string; promised: number; moment: number };
  /** New bounties cannot be answered; what was promised is kept, and it is tried again. Told once for each reason. */
  "producer.not-answering": { reason: string; promised: number };
  /** A backend has a consumer again, or has none any more. */
  "backend.served": { backend: string };
  "backend.unserved": { backend: string };
  /** Bounties of an earlier run that are taken up again. */
  "producer.resumed": { market: string; promised: number; unpromised: number };
  /** Others on this machine may look into the data directory, where the ledger is. */
  "data-dir.open": { folder: string; hint: string };
  /** Another producer holds the wallet's lease: nothing new is promised, and `promised` bounties are seen to their end. */
  "lease.lost": { account: string; reason: string; promised: number };
  /** The lease is ours again: bounties are answered. */
  "lease.regained": { account: string };
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
  "bounty.backfilled": { guid: Guid; answerWithinMs: number };
  "bounty.seen": { guid: Guid; kind: string; artifacts: number; reward: string; details: MarketDetails };
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
  /** Commitment, nonce and stakes are in the ledger; nothing was sent. */
  "assertion.planned": {
    guid: Guid;
    artifacts: number;
    stake: string;
    /** What was bid on, 0..1, one for each artifact: our opinion's, changed by the operator's modifiers. */
    confidences: readonly number[];
  };
  /** A duty towards the market did not succeed this time; it is tried again. */
  "duty.failed": { guid: Guid; duty: string; reason: string; attempt: number };
  /**
   * Something is due and not known to be done for `late`, in the time of the marketplace: blocks on a chain. Told once for each
   * thing that a bounty waits for. `reason` is why the last attempt did not succeed, absent while the first is still under way.
   */
  "duty.overdue": { guid: Guid; duty: string; state: string; late: number; reason?: string };
  /** The disk is full or broken: nothing new is promised; what was promised is revealed and settled all the same. */
  "ledger.unwritable": { market: string; reason: string };
  /** There is room again; `written` is how much was waiting for it. */
  "ledger.writable": { market: string; written: number };
}

export type Tell = <Name extends keyof ProducerEvents>(event: Name, facts: ProducerEvents[Name]) => void;

/** Levels of the log's entries; `info` where none is given. */
type Levels = Readonly<Partial<Record<string, "debug" | "warn" | "error">>>;

const LEVELS: Partial<Record<keyof ProducerEvents, "debug" | "warn" | "error">> = {
  "bounty.skipped": "debug",
  "artifact.skipped": "debug",
  "artifact.answered": "debug",
  "artifact.distilled": "debug",
  "bounty.dispatched": "debug",
  "data-dir.open": "warn",
  "lease.lost": "error",
  "market.disconnected": "warn",
  "producer.not-answering": "error",
  "backfill.delayed": "warn",
  "backend.silent": "warn",
  "backend.unserved": "warn",
  "bounties.too-many": "warn",
  "stop-loss.tripped": "warn",
  "stop-loss.released": "warn",
  "assertion.unconfirmed": "warn",
  "duty.failed": "warn",
  "duty.overdue": "warn",
  "assertion.vanished": "warn",
  "assertion.reveal-missed": "error",
  "ledger.unwritable": "error",
  "bounty.failed": "error",
};

const BACKENDS_KNOWN = 1_000;

/** Tells the log; a backend that stays silent is warned of once. `more` has the levels of what kinds of marketplaces tell besides. */
export function tellLog(log: Logger<keyof ProducerEvents>, more: Levels = {}): Tell {
  const silent = new RecentKeys(BACKENDS_KNOWN);
  const levels: Levels = { ...more, ...LEVELS };
  return (event, facts) => {
    const entry: object = facts;
    const { backend = "" } = entry as { readonly backend?: string };
    const known = event === "backend.silent" && !silent.add(backend);
    if (event === "artifact.answered") silent.delete(backend);
    log[known ? "debug" : (levels[event] ?? "info")](entry, event);
  };
}

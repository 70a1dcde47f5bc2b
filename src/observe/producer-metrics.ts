import type { Registry } from "prom-client";
import { metricsOf } from "./metrics.ts";

/** From the bounty event to the request for the assertion; most of it is scanning. */
const ASSERTION_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];

export type ProducerMetrics = ReturnType<typeof producerMetrics>;

/** What a producer counts. `why` and `reason` take the stable names that logs and the ledger carry. */
export function producerMetrics(registry: Registry) {
  const { counter, gauge, histogram } = metricsOf(registry);
  return {
    bountiesSeen: counter("bounties_seen_total", "Bounties heard of."),
    bountiesSkipped: counter("bounties_skipped_total", "Bounties left alone at first sight.", ["why"]),
    artifactsSkipped: counter("artifacts_skipped_total", "Artifacts that triage sent to no backend.", [
      "why",
    ]),
    bountiesAbandoned: counter("bounties_abandoned_total", "Bounties that ended without a stake.", ["why"]),
    assertionsPosted: counter("assertions_posted_total", "Assertions on the market."),
    assertionsRevealed: counter("assertions_revealed_total", "Assertions revealed in time."),
    assertionsSettled: counter("assertions_settled_total", "Assertions settled."),
    revealsMissed: counter("reveals_missed_total", "Assertions whose reveal window closed on us."),
    verdictOutcomes: counter("verdicts_judged_total", "Our verdicts as arbiters saw them.", ["judgement"]),
    scanAnswers: counter("scan_answers_total", "Answers of consumers; reason is empty for a verdict.", [
      "backend",
      "verdict",
      "reason",
    ]),
    answersForged: counter(
      "answers_forged_total",
      "Answers of consumers ignored because their seal did not hold.",
    ),
    assertionSeconds: histogram(
      "bounty_to_assertion_seconds",
      "From hearing of a bounty until the request for its assertion left.",
      ASSERTION_SECONDS,
    ),
    stakedNct: counter("staked_nct_total", "NCT staked."),
    atRiskNct: gauge("stake_at_risk_nct", "NCT staked and not settled yet."),
    profitNct: gauge(
      "profit_nct",
      "Payouts less stakes and fees of settled assertions, over the ledger's life.",
    ),
    limitNct: gauge("limit_nct", "The operator's limits that are set.", ["limit"]),
    limitUsedNct: gauge("limit_used_nct", "What each limit is held against, as it is now.", ["limit"]),
    assertingPaused: gauge("asserting_paused", "1 while nothing new is asserted.", ["why"]),
    balanceNct: gauge("balance_nct", "NCT in the wallet, as last read.", ["market"]),
    backlog: gauge("queue_backlog", "Scan jobs waiting for a consumer; scale consumers on it.", ["backend"]),
    queueUp: gauge("queue_up", "1 while the queue can be used."),
    bountiesBackfilled: counter(
      "bounties_backfilled_total",
      "Bounties whose event had not come, found in the marketplace's list.",
    ),
    marketDeprecated: gauge("market_deprecated", "1 while the registry takes no new bounties.", ["market"]),
    marketConnected: gauge("market_connected", "1 while the marketplace's event stream is open.", ["market"]),
    headBlock: gauge("head_block", "Newest block heard of.", ["market"]),
    eventsMalformed: counter(
      "market_events_malformed_total",
      "Events of the marketplace that made no sense.",
    ),
    eventsDropped: counter(
      "market_events_dropped_total",
      "Events of the marketplace that were not looked at, because too many of their kind came.",
      ["event"],
    ),
    claimsRefused: counter(
      "bounty_claims_refused_total",
      "Bounties whose metadata was larger than is taken; their artifacts are looked at without it.",
    ),
    dutiesOpen: gauge("duties_open", "Bounties we still owe something: a post, a reveal, a settlement.", [
      "market",
    ]),
    dutiesFailing: gauge("duties_failing", "Those of them whose last attempt did not succeed.", ["market"]),
    dutiesOverdue: gauge(
      "duties_overdue",
      "Bounties whose post, reveal or settlement is due for longer than usual; alarm on a reveal.",
      ["market", "duty"],
    ),
    requestsInFlight: gauge("market_requests_in_flight", "Requests to the gateway that wait for an answer.", [
      "market",
    ]),
    dutyFailures: counter("duty_failures_total", "Attempts at a duty that did not succeed.", ["duty"]),
    signaturesRefused: counter(
      "signatures_refused_total",
      "Transactions that were not what we had asked for.",
    ),
  };
}

/** Replaces the backlog of all backends: one that has none any more must not keep its last number. */
export function setBacklog(
  { backlog }: Pick<ProducerMetrics, "backlog">,
  waiting: Readonly<Record<string, number>>,
): void {
  backlog.reset();
  for (const [backend, jobs] of Object.entries(waiting)) backlog.set({ backend }, jobs);
}

import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { ProducerEvents, Tell } from "./events.ts";

type Counting = { readonly [Name in keyof ProducerEvents]?: (facts: ProducerEvents[Name]) => void };

/** Counts what is told. Gauges, which show a state rather than count events, are read at each scrape instead. */
export function countEvents(metrics: ProducerMetrics): Tell {
  const counting: Counting = {
    "bounty.seen": () => metrics.bountiesSeen.inc(),
    "bounty.backfilled": () => metrics.bountiesBackfilled.inc(),
    "bounty.skipped": ({ why }) => metrics.bountiesSkipped.inc({ why }),
    "artifact.skipped": ({ why }) => metrics.artifactsSkipped.inc({ why }),
    "artifact.answered": ({ backend, verdict, why = "" }) =>
      metrics.scanAnswers.inc({ backend, verdict, reason: why }),
    "backend.silent": ({ backend, jobs }) =>
      metrics.scanAnswers.inc({ backend, verdict: "unknown", reason: "no-answer" }, jobs),
    "bounty.abandoned": ({ why }) => metrics.bountiesAbandoned.inc({ why }),
    "assertion.planned": ({ stake }) =>
      metrics.limitUsedNct.set({ limit: "stake-per-bounty" }, Number(stake)),
    "assertion.posted": ({ ms, stake }) => {
      metrics.assertionsPosted.inc();
      metrics.stakedNct.inc(Number(stake));
      if (ms !== null) metrics.assertionSeconds.observe(ms / 1_000);
    },
    "assertion.revealed": () => metrics.assertionsRevealed.inc(),
    "assertion.reveal-missed": () => metrics.revealsMissed.inc(),
    "assertion.settled": ({ profit, right, wrong }) => {
      metrics.assertionsSettled.inc();
      if (profit !== "unknown") metrics.profitNct.inc(Number(profit));
      metrics.verdictOutcomes.inc({ judgement: "right" }, right);
      metrics.verdictOutcomes.inc({ judgement: "wrong" }, wrong);
    },
    "duty.failed": ({ duty }) => metrics.dutyFailures.inc({ duty }),
  };
  return (event, facts) => counting[event]?.(facts);
}

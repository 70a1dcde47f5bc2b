import { timeoutSignal } from "../../async/long-timer.ts";
import type { Bounty } from "../../domain/bounty.ts";
import { describeError } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Market } from "../../market/port.ts";
import { triageByContent } from "../../triage/looks/look.ts";
import type { Triage, TriageRules } from "../../triage/triage.ts";
import type { Tell } from "../events/events.ts";
import { Abandon } from "./abandon.ts";
import type { ArtifactInWork } from "./artifact-in-work.ts";
import type { ArtifactRate } from "./artifact-rate.ts";
import { askAhead } from "./ask-ahead.ts";
import { answersDue } from "./deadline.ts";

export interface TriageParts {
  readonly market: Market;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly rules: TriageRules;
  /** What a day may bring is up: why one more artifact must be left alone. Default: there is no limit. */
  readonly artifactRate?: Pick<ArtifactRate, "take">;
}

/**
 * `unreadable`: a rule asks for the type, and the first bytes could not be had. `rate-limited`: worth a scan, but as
 * many as the operator allows were scanned today.
 */
type Decision =
  | Exclude<Triage, { kind: "look" }>
  | { readonly kind: "skip"; readonly reason: "unreadable" | "rate-limited"; readonly detail: string };

/**
 * Decides for the first `count` artifacts which backends look at them; what the URI does not list cannot be scanned.
 * First bytes are fetched only where the rules depend on them, and for at most half of the time there is: the other half
 * is for scanning. Throws Abandon when there is nothing to scan.
 */
export async function triageArtifacts(
  parts: TriageParts,
  bounty: Bounty,
  count: number,
  signal: AbortSignal,
): Promise<readonly ArtifactInWork[]> {
  const { market, ledger, tell, clock } = parts;
  const filters = await askAhead(parts.rules.filters ?? [], bounty.claims.slice(0, count), signal);
  const asking = { ...parts, rules: { ...parts.rules, filters } };
  const now = clock.now();
  const lookForMs = Math.max(0, Math.floor((answersDue(market.answerTimes(bounty), now) - now) / 2));
  const looking = AbortSignal.any([signal, timeoutSignal(lookForMs)]);
  const wanted = await Promise.all(
    Array.from({ length: count }, (_, index) => decide(asking, bounty, index, looking)),
  );
  const decisions = await withinRate(wanted, parts.artifactRate);
  signal.throwIfAborted();
  const words = decisions.map((decision) => (decision.kind === "skip" ? decision.reason : "scan"));
  ledger.recordTriage(bounty, words);
  const items = decisions.map((decision, index): ArtifactInWork => {
    if (decision.kind === "scan") return { index, asked: decision.backends, answers: [], opinion: null };
    const { reason: why, detail } = decision;
    tell("artifact.skipped", { guid: bounty.guid, artifact: index, why, detail });
    return { index, asked: [], answers: [], opinion: null };
  });
  if (items.every((item) => item.asked.length === 0)) throw new Abandon("nothing-to-scan", words.join(", "));
  return items;
}

/** What the day's limit leaves of the decisions; when it does not leave all, the first artifacts go first. */
async function withinRate(
  decisions: readonly Decision[],
  rate: TriageParts["artifactRate"],
): Promise<readonly Decision[]> {
  if (rate === undefined) return decisions;
  const left: Decision[] = [];
  for (const decision of decisions) {
    const detail = decision.kind === "scan" ? await rate.take() : undefined;
    left.push(detail === undefined ? decision : { kind: "skip", reason: "rate-limited", detail });
  }
  return left;
}

async function decide(
  { market, rules }: TriageParts,
  bounty: Bounty,
  index: number,
  signal: AbortSignal,
): Promise<Decision> {
  const claim = bounty.claims[index] ?? { raw: {} };
  try {
    const readHead = (bytes: number): Promise<Uint8Array> =>
      market.artifactHead(bounty, index, bytes, signal);
    return await triageByContent({ kind: bounty.kind, claim }, rules, readHead, signal);
  } catch (error) {
    return { kind: "skip", reason: "unreadable", detail: describeError(error) };
  }
}

import { RecentKeys } from "../../async/recent-keys.ts";
import type { BidStrategy } from "../../bid/contract.ts";
import type { Testimony } from "../../distill/contract.ts";
import type { Bounty } from "../../domain/bounty.ts";
import { describeError } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock, Instant } from "../../domain/instant.ts";
import { UNPROMISED_STATES } from "../../domain/lifecycle.ts";
import { formatNct } from "../../domain/nct.ts";
import type { Opinion } from "../../domain/opinion.ts";
import { ratioOf } from "../../domain/verdict.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyRecord } from "../../ledger/records.ts";
import type { BountyNotice, Market, RivalAnswer } from "../../market/port.ts";
import { whileOpen } from "../../market/while-open.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { Modifier } from "../../triage/filters/modifier.ts";
import type { TriageRules } from "../../triage/triage.ts";
import type { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import type { BalanceReservations } from "../funds/balance-reservations.ts";
import type { Limiter } from "../funds/limiter.ts";
import { Abandon } from "./abandon.ts";
import { type ArtifactInWork, jobIdsOf, jobsOf, withAnswers } from "./artifact-in-work.ts";
import type { ArtifactRate } from "./artifact-rate.ts";
import { askAhead } from "./ask-ahead.ts";
import type { Collector } from "./collector.ts";
import { answersDue } from "./deadline.ts";
import { confirmKnown, listArtifacts, seeBounty, untilListed, writeDown } from "./intake.ts";
import { planAssertion } from "./plan-assertion.ts";
import { triageArtifacts } from "./triage-artifacts.ts";

const REMEMBERED_SKIPS = 1_000;

const CHUNKS = "the URI lists the chunks of one large object, not artifacts";

/**
 * Bounties in work at a time. Each holds its claims (1 MB at most), asks the gateway several times and has its jobs in the
 * queue, and those who post bounties decide how many there are. 200 posted in one block are answered side by side.
 */
const MAX_IN_WORK = 500;
/** Rivals' assertions remembered for one bounty: only strategies ask for them. */
const MAX_RIVALS = 1_000;

export interface BountiesInWorkParts {
  readonly market: Market;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  /** Takes over what was planned. */
  readonly duties: Pick<Duties, "take">;
  readonly reservations: Pick<BalanceReservations, "refresh" | "available" | "reserve">;
  /** The operator's limits on what is promised. */
  readonly limiter: Pick<Limiter, "paused" | "allow">;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly rules: TriageRules;
  readonly distill: (testimony: Testimony) => Opinion;
  readonly strategy: BidStrategy;
  readonly modifiers?: readonly Modifier[];
  readonly artifactRate?: Pick<ArtifactRate, "take">;
  /** Of microengine, for the assertion metadata. */
  readonly version: string;
}

/**
 * Answers the bounties of one marketplace: seen ► triaged ► dispatched ► distilled ► planned, each state in the ledger before
 * the next step; from `planned` on the bounty belongs to the duties. Every bounty is on its own: what goes wrong with
 * one is told and ends that one. Nothing was promised before `planned`, so after a restart those are simply begun
 * bounties again; job ids make sure nothing is scanned twice while the queue remembers it.
 */
export class BountiesInWork {
  readonly #parts: BountiesInWorkParts;
  readonly #working = new Map<Guid, Promise<void>>();
  /** What other engines staked on the bounties in work. */
  readonly #rivals = new Map<Guid, RivalAnswer[]>();
  readonly #skipped = new RecentKeys(REMEMBERED_SKIPS);
  /** Bounties whose event named no content address. */
  readonly #withoutAddress = new RecentKeys(REMEMBERED_SKIPS);
  readonly #stop = new AbortController();
  /** That there were too many was told, and it was not over since. */
  #toldFull = false;

  constructor(parts: BountiesInWorkParts) {
    this.#parts = parts;
  }

  /** Hears of what rivals stake on the bounties in work, until the returned is disposed of. */
  listen(): Disposable {
    const listening = new DisposableStack();
    listening.defer(this.#parts.market.on("rival", (answer) => this.#heardRival(answer)));
    return listening;
  }

  /** Bounties in work right now. */
  inFlight(): number {
    return this.#working.size;
  }

  /** Whether a bounty is in work right now. */
  has(guid: Guid): boolean {
    return this.#working.has(guid);
  }

  /** Its event said that its artifacts cannot be had; the gateway fails at such a bounty for as long as it is asked. */
  hasNoAddress(guid: Guid): boolean {
    return this.#withoutAddress.has(guid);
  }

  /** The bound on bounties in work is reached. */
  full(): boolean {
    return this.#working.size >= MAX_IN_WORK;
  }

  /** Takes up a bounty that was heard of; false when it is left alone. What came `whole` is written down when this returns. */
  hear(notice: BountyNotice): boolean {
    if (notice.whole !== undefined) return this.take(notice.whole);
    const wanted = this.#wants(notice);
    if (wanted) this.#begin(notice, (signal) => seeBounty(this.#parts, notice, signal));
    return wanted;
  }

  /** Takes up a bounty that was found on the market, and writes it down; false when it is left alone. */
  take(bounty: Bounty): boolean {
    const wanted = this.#wants(bounty);
    if (wanted) this.#resume(writeDown(this.#parts, bounty));
    return wanted;
  }

  /** Begins again what an earlier run had not yet promised; returns how many bounties that is. */
  resume(): number {
    const { ledger, market } = this.#parts;
    // Those heard of since we listen are in work already.
    const left = ledger
      .inStates(market.id, UNPROMISED_STATES)
      .filter(({ bounty }) => !this.#working.has(bounty.guid));
    // Those that close last have the most time left.
    const closes = new Map(left.map(({ bounty }) => [bounty.guid, market.answerTimes(bounty).last]));
    const closing = ({ bounty }: BountyRecord): number => closes.get(bounty.guid) ?? 0;
    const wanted = left.toSorted((a, b) => closing(b) - closing(a));
    const room = MAX_IN_WORK - this.#working.size;
    for (const { bounty } of wanted.slice(0, room)) this.#resume(bounty);
    for (const { bounty } of wanted.slice(room)) this.#abandon(bounty.guid, new Abandon("too-many"));
    return Math.min(left.length, room);
  }

  /** Takes no new bounties and lets go of those not yet promised: the next start begins them again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#working.values());
  }

  /** False for what is known, what is of a kind that is not looked at, and what comes while we are paused or stopping. */
  #wants({ guid, kind, uri }: Pick<Bounty, "guid" | "kind" | "uri">): boolean {
    const { ledger, market, limiter, tell, rules } = this.#parts;
    if (this.#stop.signal.aborted || this.#working.has(guid) || market.withholds(guid)) return false;
    if (ledger.find({ market: market.id, guid }) !== undefined) return false;
    const fetchable = market.hasArtifactsAt(uri);
    if (!fetchable) this.#withoutAddress.add(guid);
    const why = !rules.artifactKinds.includes(kind)
      ? "wrong-kind"
      : !fetchable
        ? "no-address"
        : (market.refuses() ?? limiter.paused() ?? (this.#isOneTooMany() ? "too-many" : undefined));
    // Heard of and found in the list, it is left alone once.
    if (why !== undefined && this.#skipped.add(guid)) tell("bounty.skipped", { guid, why });
    return why === undefined;
  }

  /** Told when it begins, and again only after there was ample room. */
  #isOneTooMany(): boolean {
    if (this.#working.size < MAX_IN_WORK / 2) this.#toldFull = false;
    if (!this.full()) return false;
    if (!this.#toldFull) this.#parts.tell("bounties.too-many", { inWork: this.#working.size });
    this.#toldFull = true;
    return true;
  }

  #heardRival(answer: RivalAnswer): void {
    const rivals = this.#rivals.get(answer.guid);
    if (rivals !== undefined && rivals.length < MAX_RIVALS) rivals.push(answer);
  }

  #resume(bounty: Bounty): void {
    this.#begin(bounty, (signal) => confirmKnown(this.#parts, bounty, signal));
  }

  #begin(heard: Pick<Bounty, "guid" | "uri">, load: (signal: AbortSignal) => Promise<Bounty>): void {
    const { guid } = heard;
    this.#rivals.set(guid, []);
    const work = this.#answer(heard, this.#parts.clock.now(), load)
      .catch((error: unknown) => this.#parts.tell("bounty.failed", { guid, reason: describeError(error) }))
      .finally(() => {
        this.#working.delete(guid);
        this.#rivals.delete(guid);
      });
    this.#working.set(guid, work);
  }

  async #answer(
    heard: Pick<Bounty, "guid" | "uri">,
    heardAt: Instant,
    load: (signal: AbortSignal) => Promise<Bounty>,
  ): Promise<void> {
    const { market, reservations, duties } = this.#parts;
    const signal = this.#stop.signal;
    try {
      // Needed when bidding; asked early, so that the answer is there by then.
      void reservations.refresh().catch(() => undefined);
      const [bounty, found] = await Promise.all([load(signal), listArtifacts(market, heard, signal)]);
      const listed = found === "nowhere" ? await untilListed(this.#parts, bounty, signal) : found;
      if (listed === "chunks") throw new Abandon("no-artifacts", CHUNKS);
      const count = Math.min(bounty.artifactCount, listed ?? bounty.artifactCount);
      if (count === 0) throw new Abandon("no-artifacts");
      if (!market.isOpen(bounty)) throw new Abandon("too-late");
      throwIfRefused(market);
      const triaged = await triageArtifacts(this.#parts, bounty, count, signal);
      try {
        const scanned = await this.#scan(bounty, triaged, signal);
        const distilled = this.#distill(bounty, scanned);
        throwIfRefused(market);
        if (listed === undefined && count > 1 && (await listArtifacts(market, bounty, signal)) === "chunks")
          throw new Abandon("no-artifacts", CHUNKS);
        await this.#plan(bounty, distilled, signal);
      } finally {
        // A bounty that the next start begins again finds its answers; of any other the queue need remember nothing.
        if (!signal.aborted) this.#forget(bounty, triaged);
      }
      await duties.take(heard.guid, heardAt);
    } catch (error) {
      if (!signal.aborted) this.#abandon(heard.guid, error);
    }
  }

  #forget(bounty: Bounty, items: readonly ArtifactInWork[]): void {
    const ids = jobIdsOf(bounty, items);
    if (ids.length > 0) void this.#parts.queue.forget(ids).catch(() => undefined);
  }

  #abandon(guid: Guid, error: unknown): void {
    const { ledger, tell, market } = this.#parts;
    const foreseen = error instanceof Abandon;
    const why = foreseen ? error.why : "market-failed";
    const detail = describeError(error);
    if (!foreseen) tell("bounty.failed", { guid, reason: detail });
    const record = ledger.find({ market: market.id, guid });
    if (record !== undefined && (UNPROMISED_STATES as readonly string[]).includes(record.state)) {
      ledger.abandon({ market: market.id, guid }, why);
    }
    tell("bounty.abandoned", { guid, why, ...(detail === "" ? {} : { detail }) });
  }

  async #scan(
    bounty: Bounty,
    items: readonly ArtifactInWork[],
    signal: AbortSignal,
  ): Promise<readonly ArtifactInWork[]> {
    const { market, ledger, collector, clock, rules, tell, queue } = this.#parts;
    const now = clock.now();
    const deadline = answersDue(market.answerTimes(bounty), now);
    const reference = (of: Bounty, index: number) => market.artifact(of, index);
    const jobs = jobsOf(bounty, items, { deadline, now, maxSizeBytes: rules.maxSizeBytes, reference });
    ledger.advance(bounty, "dispatched");
    tell("bounty.dispatched", {
      guid: bounty.guid,
      jobs: jobs.length,
      answerWithinMs: Math.round(deadline - now),
    });
    const answers = await collector.collect(jobs, deadline, signal);
    signal.throwIfAborted();
    const late = jobs.filter((job) => !answers.some((answer) => answer.jobId === job.id));
    for (const [backend, silent] of Map.groupBy(late, (job) => job.backend)) {
      tell("backend.silent", { guid: bounty.guid, backend, jobs: silent.length });
    }
    if (late.length > 0) void queue.forget(late.map((job) => job.id)).catch(() => undefined);
    return withAnswers(items, answers);
  }

  #distill(bounty: Bounty, items: readonly ArtifactInWork[]): readonly ArtifactInWork[] {
    const { ledger, distill, tell } = this.#parts;
    const distilled = items.map((item): ArtifactInWork => {
      if (item.asked.length === 0) return item;
      const opinion = distill({ asked: item.asked, answers: item.answers });
      tell("artifact.distilled", {
        guid: bounty.guid,
        artifact: item.index,
        verdict: opinion.verdict,
        confidence: ratioOf(opinion.confidence),
        reason: opinion.reason,
      });
      return { ...item, opinion };
    });
    ledger.recordOpinions(
      bounty,
      distilled.map((item) => item.opinion),
      distilled.flatMap((item) => item.answers),
    );
    return distilled;
  }

  /** Nothing is awaited between asking what may be staked and reserving it: no two bounties are promised the same NCT. */
  async #plan(bounty: Bounty, items: readonly ArtifactInWork[], signal: AbortSignal): Promise<void> {
    const {
      market,
      ledger,
      reservations,
      limiter,
      strategy,
      modifiers = [],
      clock,
      tell,
      version,
    } = this.#parts;
    const spokenOf = items.flatMap(({ index, opinion }) => (opinion && bounty.claims[index]) || []);
    const asked = await askAhead(modifiers, spokenOf, signal);
    await whileOpen(
      () => market.isOpen(bounty),
      () => reservations.refresh(),
      signal,
    );
    const terms = market.terms();
    const { fee, bidMinimum } = terms;
    const plan = planAssertion({
      bounty,
      items,
      terms,
      rivals: this.#rivals.get(bounty.guid) ?? [],
      allowance: limiter.allow(market.id, { balance: reservations.available(), fee, bidMinimum }),
      atRisk: ledger.atRisk(market.id),
      strategy,
      modifiers: asked,
      seal: (verdicts) => market.settlement.seal(bounty, verdicts),
      now: clock.now(),
      version,
    });
    if (plan.kind === "abandon") throw new Abandon(plan.why, plan.detail);
    ledger.planAssertion(bounty, plan.assertion);
    reservations.reserve(bounty.guid, plan.assertion.stake + plan.assertion.fee);
    tell("assertion.planned", {
      guid: bounty.guid,
      artifacts: plan.assertion.bids.length,
      stake: formatNct(plan.assertion.stake),
      confidences: (plan.assertion.confidences ?? []).map(ratioOf),
    });
  }
}

/** Nothing is answered on a marketplace that takes no more. */
function throwIfRefused(market: Pick<Market, "refuses">): void {
  const why = market.refuses();
  if (why !== undefined) throw new Abandon(why);
}

import { RecentKeys } from "../../async/recent-keys.ts";
import type { BidStrategy } from "../../bid/contract.ts";
import type { Testimony } from "../../distill/contract.ts";
import { isContentAddress } from "../../domain/artifact.ts";
import type { Bounty } from "../../domain/bounty.ts";
import type { Clock, Instant } from "../../domain/chain.ts";
import { describeError } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import { UNPROMISED_STATES } from "../../domain/lifecycle.ts";
import { formatNct } from "../../domain/nct.ts";
import type { Opinion } from "../../domain/opinion.ts";
import { ratioOf } from "../../domain/verdict.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { AssertionNotice, BountyNotice, Marketplace } from "../../market/onchain/port/marketplace.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { Modifier } from "../../triage/filters/modifier.ts";
import type { TriageRules } from "../../triage/triage.ts";
import type { Deprecation } from "../../market/onchain/chain/deprecation.ts";
import type { Duties } from "../duties/duties.ts";
import { inTimeToPost } from "../../market/onchain/settlement/record/duty.ts";
import type { Tell } from "../events/events.ts";
import type { BalanceReservations } from "../funds/balance-reservations.ts";
import type { Limiter } from "../funds/limiter.ts";
import { Abandon } from "./abandon.ts";
import { type ArtifactInWork, jobIdsOf, jobsOf, withAnswers } from "./artifact-in-work.ts";
import type { ArtifactRate } from "./artifact-rate.ts";
import { askAhead } from "./ask-ahead.ts";
import type { Collector } from "./collector.ts";
import { answersDue } from "./deadline.ts";
import { confirmBounty, listArtifacts, seeBounty, untilListed, whileInTime, writeDown } from "./intake.ts";
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

/** Bounties that may carry an answer of ours which the ledger does not know. */
interface LostStakes {
  /** Keeps an announced bounty to itself that may not be answered yet. */
  keeps(notice: BountyNotice): boolean;
  /** Whether a bounty may carry an answer of ours, for all we know. */
  leaves(guid: Guid): boolean;
}

export interface BountiesInWorkParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  readonly duties: Duties;
  readonly deprecation: Pick<Deprecation, "active" | "posted">;
  readonly reservations: BalanceReservations;
  /** The operator's limits on what is promised. */
  readonly limiter: Pick<Limiter, "paused" | "allow">;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly rules: TriageRules;
  readonly distill: (testimony: Testimony) => Opinion;
  readonly strategy: BidStrategy;
  readonly modifiers?: readonly Modifier[];
  readonly artifactRate?: Pick<ArtifactRate, "take">;
  /** Seals verdict bits for a bounty; the nonce is the secret that opens the commitment. */
  readonly seal: (guid: Guid, verdicts: bigint) => { readonly nonce: bigint; readonly commitment: bigint };
  /** When a block of this chain will be reached, as far as we can tell. */
  readonly instantOf: (block: number) => Instant;
  /** Bounties that may carry an answer of ours which the ledger does not know are kept away by it. */
  readonly lostStakes?: LostStakes | undefined;
  /** Of microengine, for the assertion metadata. */
  readonly version: string;
}

/**
 * Answers the bounties of one chain: seen ► triaged ► dispatched ► distilled ► planned, each state in the ledger before
 * the next step; from `planned` on the bounty belongs to the duties. Every bounty is on its own: what goes wrong with
 * one is told and ends that one. Nothing was promised before `planned`, so after a restart those are simply begun
 * bounties again; job ids make sure nothing is scanned twice while the queue remembers it.
 */
export class BountiesInWork {
  readonly #parts: BountiesInWorkParts;
  readonly #working = new Map<Guid, Promise<void>>();
  /** What other engines staked on the bounties in work. */
  readonly #rivals = new Map<Guid, AssertionNotice[]>();
  readonly #skipped = new RecentKeys(REMEMBERED_SKIPS);
  /** Bounties whose event named no content address. */
  readonly #withoutAddress = new RecentKeys(REMEMBERED_SKIPS);
  readonly #stop = new AbortController();
  /** That there were too many was told, and it was not over since. */
  #toldFull = false;

  constructor(parts: BountiesInWorkParts) {
    this.#parts = parts;
  }

  /** Hears of bounties and of what rivals stake on them, until the returned is disposed of. */
  listen(): Disposable {
    const { market } = this.#parts;
    const listening = new DisposableStack();
    listening.defer(market.on("bounty", (notice) => this.hear(notice)));
    listening.defer(market.on("assertion", (notice) => this.#heardRival(notice)));
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

  /** Takes up a bounty whose event came. */
  hear(notice: BountyNotice): void {
    const { guid, uri, postedIn } = notice;
    if (postedIn !== undefined) this.#parts.deprecation.posted(guid, postedIn);
    if (this.#parts.lostStakes?.keeps(notice)) return;
    if (this.#wants(notice)) this.#begin(guid, uri, (signal) => seeBounty(this.#parts, notice, signal));
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
    const wanted = left.toSorted((a, b) => b.bounty.expiration - a.bounty.expiration);
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
    const { ledger, market, limiter, deprecation, tell, rules, lostStakes } = this.#parts;
    if (this.#stop.signal.aborted || this.#working.has(guid) || lostStakes?.leaves(guid)) return false;
    if (ledger.find({ market: market.id, guid }) !== undefined) return false;
    const fetchable = isContentAddress(uri);
    if (!fetchable) this.#withoutAddress.add(guid);
    const why = !rules.artifactKinds.includes(kind)
      ? "wrong-kind"
      : !fetchable
        ? "no-address"
        : deprecation.active()
          ? "deprecated"
          : (limiter.paused() ?? (this.#isOneTooMany() ? "too-many" : undefined));
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

  #heardRival(notice: AssertionNotice): void {
    const rivals = this.#rivals.get(notice.guid);
    if (rivals !== undefined && rivals.length < MAX_RIVALS) rivals.push(notice);
  }

  #resume(bounty: Bounty): void {
    this.#begin(bounty.guid, bounty.uri, (signal) => confirmBounty(this.#parts, bounty, signal));
  }

  #begin(guid: Guid, uri: string, load: (signal: AbortSignal) => Promise<Bounty>): void {
    this.#rivals.set(guid, []);
    const work = this.#answer(guid, uri, this.#parts.clock.now(), load)
      .catch((error: unknown) => this.#parts.tell("bounty.failed", { guid, reason: describeError(error) }))
      .finally(() => {
        this.#working.delete(guid);
        this.#rivals.delete(guid);
      });
    this.#working.set(guid, work);
  }

  async #answer(
    guid: Guid,
    uri: string,
    heardAt: Instant,
    load: (signal: AbortSignal) => Promise<Bounty>,
  ): Promise<void> {
    const { market, reservations, duties, deprecation } = this.#parts;
    const signal = this.#stop.signal;
    try {
      // Needed when bidding; asked early, so that the answer is there by then.
      void reservations.refresh().catch(() => undefined);
      const [bounty, found] = await Promise.all([load(signal), listArtifacts(market, uri, signal)]);
      const listed = found === "nowhere" ? await untilListed(this.#parts, bounty, signal) : found;
      if (listed === "chunks") throw new Abandon("no-artifacts", CHUNKS);
      const count = Math.min(bounty.artifactCount, listed ?? bounty.artifactCount);
      if (count === 0) throw new Abandon("no-artifacts");
      if (!inTimeToPost(bounty.expiration, market.head())) throw new Abandon("too-late");
      if (deprecation.active()) throw new Abandon("deprecated");
      const triaged = await triageArtifacts(this.#parts, bounty, count, signal);
      try {
        const scanned = await this.#scan(bounty, triaged, signal);
        const distilled = this.#distill(bounty, scanned);
        if (deprecation.active()) throw new Abandon("deprecated");
        if (listed === undefined && count > 1 && (await listArtifacts(market, uri, signal)) === "chunks")
          throw new Abandon("no-artifacts", CHUNKS);
        await this.#plan(bounty, distilled, signal);
      } finally {
        // A bounty that the next start begins again finds its answers; of any other the queue need remember nothing.
        if (!signal.aborted) this.#forget(bounty, triaged);
      }
      await duties.take(guid, heardAt);
    } catch (error) {
      if (!signal.aborted) this.#abandon(guid, error);
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
    const { ledger, collector, clock, rules, tell, queue, instantOf } = this.#parts;
    const now = clock.now();
    const deadline = answersDue(bounty.expiration, now, instantOf);
    const jobs = jobsOf(bounty, items, { deadline, now, maxSizeBytes: rules.maxSizeBytes });
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
      seal,
      clock,
      tell,
      version,
    } = this.#parts;
    const spokenOf = items.flatMap(({ index, opinion }) => (opinion && bounty.claims[index]) || []);
    const asked = await askAhead(modifiers, spokenOf, signal);
    await whileInTime(market, bounty.expiration, () => reservations.refresh(), signal);
    const parameters = market.parameters();
    const { assertionFee: fee, bidMinimum } = parameters;
    const plan = planAssertion({
      bounty,
      items,
      parameters,
      rivals: this.#rivals.get(bounty.guid) ?? [],
      allowance: limiter.allow(market.id, { balance: reservations.available(), fee, bidMinimum }),
      atRisk: ledger.atRisk(market.id),
      strategy,
      modifiers: asked,
      seal,
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

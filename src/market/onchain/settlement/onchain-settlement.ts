import { sameAddress } from "../../../domain/address.ts";
import type { Bounty, MarketId } from "../../../domain/bounty.ts";
import type { Guid } from "../../../domain/guid.ts";
import { type BountyState, PROMISED_STATES } from "../../../domain/lifecycle.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { AssertionRecord, BountyRecord } from "../../../ledger/records.ts";
import type { Agenda, Owed, Sealed, Settlement, StepResult, StepWork } from "../../settlement.ts";
import { lastBefore } from "../chain/market-notes.ts";
import { expirationOf } from "../port/details.ts";
import type { AssertionNotice } from "../port/marketplace.ts";
import type { MarketParameters } from "../port/parameters.ts";
import { revealIsUrgent } from "../port/windows.ts";
import { perform } from "./perform.ts";
import { ONCHAIN_PLAN, pauseBlocks, VERIFYING } from "./plan.ts";
import { BlockCache } from "./record/block-cache.ts";
import { BlockSignals } from "./record/block-signals.ts";
import { type Duty, type DutyFacts, nextDuty, stageDue, type Track } from "./record/duty.ts";
import type { DutyContext, StepParts } from "./record/duty-context.ts";
import { type Memory, newMemory } from "./record/memory.ts";
import { SkippedBlocks } from "./record/skipped-blocks.ts";

/** Quorums that skipped blocks may have held are asked for once in so many blocks at most. */
const QUORUMS_EVERY_BLOCKS = 5;

/** What goes on beside the steps while something is owed. */
interface Watch {
  listen(): Disposable;
  /** Looks no more; resolves when a look under way is done. */
  stop(): Promise<void>;
}

export interface OnchainSettlementParts extends StepParts {
  readonly ledger: Ledger;
  /** Milliseconds of a clock that is never set. Default: `performance.now()`. */
  readonly steadyMs?: () => number;
  /** Seals verdict bits for a bounty, with the wallet's key. */
  readonly seal?: (guid: Guid, verdicts: bigint) => Sealed;
  /** What goes on beside the steps. */
  readonly watches?: (agenda: Agenda) => readonly Watch[];
}

/**
 * What is owed to the contract: to post what was planned, to reveal it and to settle. What is next is decided by `nextDuty`, how
 * a step is done by the modules in steps/.
 *
 * **Slow is a state.** Each bounty has two tracks, which run side by side:
 *
 *     assertion  post ► confirm-post ► verify-post, publish          however long their answers take
 *     reveal                 └── from the block in which it is due ──► reveal ► confirm-reveal ► settle
 *
 * - A duty is never called off for another that waits for it. A reveal that is due begins although the post is still to be
 *   confirmed: the commitment is ours, and the index comes from the first source that has it (see `revealAssertion`).
 * - A transaction whose fate is unknown is looked for on the market, and sent again byte for byte, before anything is signed
 *   anew: the ledger says `posting`, `revealing` or `settling`, and has the bytes, from before they are sent, and `confirm-*` is
 *   the only duty in those states. So a crash at any moment leaves a record from which the next start goes on.
 * - What the assertion's track still learns when the reveal is known to be mined is dropped without a word.
 */
export class OnchainSettlement implements Settlement<Memory> {
  readonly plan = ONCHAIN_PLAN;
  readonly market: MarketId;
  readonly #parts: OnchainSettlementParts;
  readonly #freshHead: BlockCache<number>;
  readonly #freshParameters: BlockCache<MarketParameters>;
  readonly #blockSignals: BlockSignals;
  #watches: readonly Watch[] = [];

  constructor(parts: OnchainSettlementParts) {
    const { market } = parts;
    this.#parts = parts;
    this.market = market.id;
    this.#blockSignals = new BlockSignals(parts.steadyMs ?? (() => performance.now()));
    this.#freshHead = new BlockCache(market, () => market.freshHead());
    this.#freshParameters = new BlockCache(market, () => market.freshParameters());
  }

  moment(): number {
    return this.#parts.market.head();
  }

  seal({ guid }: Pick<Bounty, "guid">, verdicts: bigint): Sealed {
    const { seal } = this.#parts;
    if (seal === undefined) throw new TypeError("Nothing is sealed without the wallet's key.");
    return seal(guid, verdicts);
  }

  remember(records: readonly BountyRecord[], whence: "left" | "new"): readonly Memory[] {
    const { ledger, market } = this.#parts;
    const stored = whence === "left" ? ledger.publishedIn(market.id, PROMISED_STATES) : undefined;
    return records.map(({ bounty }) =>
      newMemory({
        published: stored?.has(bounty.guid) ?? isPublished(ledger.assertion(bounty)),
        unverifiedSince: market.head(),
        quorumUnheard: whence === "left",
      }),
    );
  }

  next({ record, memory, notBefore }: Owed<Memory>, track: string): string | undefined {
    const { published, quorumUnheard } = memory;
    const facts = this.#facts(record);
    const mayVerify = VERIFYING.every((duty) => facts.head >= (notBefore[duty] ?? 0));
    const duty = nextDuty(track as Track, {
      ...facts,
      published,
      quorumUnheard,
      unverifiedSince: mayVerify ? memory.unverifiedSince : undefined,
      lastLook: mayVerify ? memory.lastLook : undefined,
    });
    return duty === "wait" ? undefined : duty;
  }

  /** What is about to come too late waits for no slot, until the window has closed. */
  isUrgent(step: string, { record }: Owed<Memory>): boolean {
    const { head, parameters } = this.#facts(record);
    const { revealWindow } = parameters;
    const expiration = expirationOf(record.bounty);
    if (step !== "confirm-reveal" || head + 1 >= expiration + revealWindow) return false;
    return revealIsUrgent(expiration, revealWindow, head);
  }

  async perform(step: string, work: StepWork<Memory>): Promise<StepResult> {
    const problem = await perform(step as Duty, this.#context(work));
    if (problem === undefined && VERIFYING.some((duty) => duty === step)) {
      work.memory.unverifiedSince = undefined;
      work.memory.lastLook = this.moment();
    }
    return problem;
  }

  refreshed({ record, memory }: Owed<Memory>, before: BountyState, assertion?: AssertionRecord): void {
    memory.published ||= isPublished(assertion);
    if (record.state === before) return;
    memory.unverifiedSince = this.moment();
    memory.lastLook = undefined;
  }

  pauseUntil(step: string, attempt: number, { record }: Owed<Memory>): number | undefined {
    const { head, parameters } = this.#facts(record);
    const blocks = pauseBlocks(step as Duty, attempt);
    if (blocks === undefined) return undefined;
    const revealEnd = expirationOf(record.bounty) + parameters.revealWindow;
    // A stake that was never placed is free again as soon as that is certain.
    return step === "confirm-post" ? Math.min(head + blocks, revealEnd - 1) : head + blocks;
  }

  isOutdated(step: string, state: BountyState): boolean {
    if (step === "confirm-post") return state !== "posting";
    const ofAssertion = this.plan.steps[step as Exclude<Duty, "wait">].track === "assertion";
    return ofAssertion && !["planned", "posting", "asserted"].includes(state);
  }

  isOver(track: string, state: BountyState): boolean {
    return track === "assertion" && (state === "revealed" || !PROMISED_STATES.some((it) => it === state));
  }

  stageDue(record: BountyRecord): string | undefined {
    return stageDue(this.#facts(record));
  }

  listen(agenda: Agenda<Memory>): Disposable {
    const { market, watches } = this.#parts;
    const skipped = new SkippedBlocks(market.head(), QUORUMS_EVERY_BLOCKS);
    const listening = new DisposableStack();
    listening.defer(
      market.on("block", ({ number }) => {
        this.#blockSignals.heard(market.head());
        if (skipped.before(number)) this.#doubtQuorums(agenda, number);
        agenda.consider();
      }),
    );
    // The stream was away: what was said meanwhile was not heard.
    listening.defer(
      market.on("connected", () => {
        for (const { memory } of agenda.all()) memory.quorumUnheard = true;
      }),
    );
    listening.defer(market.on("assertion", (notice) => this.#heardAssertion(agenda, notice)));
    listening.defer(market.on("quorum", ({ guid }) => heardQuorum(agenda, guid)));
    listening.defer(
      market.on("settled", ({ guid, settler, payout }) => {
        const owed = agenda.get(guid);
        if (owed === undefined || !sameAddress(settler, market.account)) return;
        // The market told of our settlement, and may be the only one to tell.
        owed.memory.announced = payout;
        agenda.endPauses(guid);
        agenda.wake(guid, "reveal");
      }),
    );
    this.#watches = watches?.(agenda as Agenda) ?? [];
    for (const watch of this.#watches) listening.use(watch.listen());
    return listening;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
  }

  /**
   * The stream says where our assertion stands, before its receipt or a list may. Anyone can say so; the contract refuses
   * a reveal at a wrong place, so that a false word costs one reverted transaction.
   */
  #heardAssertion(agenda: Agenda<Memory>, { guid, author, index, commitment }: AssertionNotice): void {
    const owed = agenda.get(guid);
    if (owed === undefined || !sameAddress(author, this.#parts.market.account)) return;
    if (agenda.assertion(guid)?.commitment !== commitment) return;
    owed.memory.noted = index;
    owed.memory.placed.resolve(index);
  }

  /** What was said in blocks that the stream skipped was not heard. There are no votes before the reveal window closes. */
  #doubtQuorums(agenda: Agenda<Memory>, head: number): void {
    const { revealWindow } = this.#parts.market.parameters();
    for (const { record, memory } of agenda.all()) {
      if (expirationOf(record.bounty) + revealWindow < head) memory.quorumUnheard = true;
    }
  }

  #facts({
    state,
    quorum,
    revealMissed,
    bounty,
  }: BountyRecord): Pick<DutyFacts, "record" | "head" | "parameters"> {
    const { market } = this.#parts;
    const record = { state, quorum, revealMissed, bounty: { expiration: expirationOf(bounty) } };
    return { record, head: market.head(), parameters: market.parameters() };
  }

  #context({ memory, ...work }: StepWork<Memory>): DutyContext {
    const { ledger, market } = this.#parts;
    return {
      ...this.#parts,
      ...work,
      recalled: memory,
      untilBlock: (number) => this.#blockSignals.from(number),
      freshHead: () => this.#freshHead.ask(),
      freshRevealWindow: async () => (await this.#freshParameters.ask()).revealWindow,
      journalBefore: () => lastBefore(ledger, market.id),
    };
  }
}

/** Any gateway can say so; a settlement that is too early costs a reverted transaction. */
function heardQuorum(agenda: Agenda<Memory>, guid: Guid): void {
  const owed = agenda.get(guid);
  if (owed === undefined) return;
  const { memory } = owed;
  if (!memory.quorumAnnounced) agenda.endPauses(guid);
  memory.quorumUnheard = true;
  memory.quorumAnnounced = true;
  agenda.wake(guid, "reveal");
}

const isPublished = (assertion: AssertionRecord | undefined): boolean =>
  assertion !== undefined && assertion.metadataUri !== null;

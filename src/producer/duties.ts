import { hasBit, unpackBits } from "../domain/bits.ts";
import type { Clock } from "../domain/chain.ts";
import { describeError, Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import { PROMISED_STATES } from "../domain/lifecycle.ts";
import { formatNct, type Nct } from "../domain/nct.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord } from "../ledger/records.ts";
import type { Marketplace, Outcome, PostedAssertion } from "../market/port.ts";
import { consensusOf } from "./consensus.ts";
import { type Duty, inTimeToPost, inTimeToReveal, nextDuty } from "./duty.ts";
import type { Tell } from "./events.ts";
import type { Purse } from "./purse.ts";

/** A reveal's metadata may have at most this many characters when it is given inline. */
const MAX_INLINE_METADATA = 1_024;

/** Duties that wait longer each time they fail; the others have a window to meet and are tried at every block. */
const PATIENT: readonly Duty[] = ["publish", "settle", "confirm-settle"];
const MAX_PAUSE_BLOCKS = 32;

interface Promised {
  record: BountyRecord;
  running: boolean;
  failures: number;
  /** Not before this block, after failures of a patient duty. */
  notBefore: number;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
}

export interface DutiesParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly purse: Purse;
  readonly clock: Clock;
  readonly tell: Tell;
}

/**
 * Keeps our promises on one chain: posts what was planned, reveals, settles.
 *
 * Every promised bounty (state `planned` to `settling`) is on the agenda. At each block, at quorum, and right after
 * something was done for it, `nextDuty` says from the ledger's record what it needs; one duty per bounty runs at a time.
 * A duty that fails is tried again at a later block, until it succeeds or is provably too late. A transaction whose fate
 * is unknown is looked up on the market before the same thing is sent again: the ledger says `posting`, `revealing` or
 * `settling` from the moment of signing, and `confirm-*` is the only duty in those states. So a crash at any moment
 * leaves a record from which the next start goes on.
 */
export class Duties {
  readonly #parts: DutiesParts;
  readonly #agenda = new Map<Guid, Promised>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    parts.market.on("block", () => this.#consider());
    parts.market.on("quorum", ({ guid }) => this.#quorum(guid));
  }

  /** Puts everything an earlier run left promised on the agenda; returns how many bounties that is. */
  resume(): number {
    const left = this.#parts.ledger.inStates(this.#parts.market.chain, PROMISED_STATES);
    for (const record of left) this.#put(record, undefined);
    this.#consider();
    return left.length;
  }

  /** Takes over a bounty that was just planned and posts it at once. */
  async take(guid: Guid, heardAt: number): Promise<void> {
    const record = this.#parts.ledger.find(this.#key(guid));
    if (record === undefined) return;
    const promised = this.#put(record, heardAt);
    await this.#start(promised);
  }

  /** How many bounties still need something. */
  open(): number {
    return this.#agenda.size;
  }

  /** No duty is begun any more; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#running);
  }

  #key(guid: Guid): BountyKey {
    return { chain: this.#parts.market.chain, guid };
  }

  #put(record: BountyRecord, heardAt: number | undefined): Promised {
    const promised: Promised = { record, running: false, failures: 0, notBefore: 0, heardAt };
    this.#agenda.set(record.bounty.guid, promised);
    return promised;
  }

  #quorum(guid: Guid): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined) return;
    this.#parts.ledger.recordQuorum(this.#key(guid));
    this.#refresh(promised);
    promised.notBefore = 0;
    void this.#start(promised);
  }

  #consider(): void {
    for (const promised of this.#agenda.values()) void this.#start(promised);
  }

  #start(promised: Promised): Promise<void> {
    if (promised.running || this.#stopped || this.#parts.market.head() < promised.notBefore)
      return Promise.resolve();
    promised.running = true;
    const run = this.#run(promised)
      // After a stop that took too long the ledger is closed under whoever still works: the next start goes on.
      .catch((error: unknown) => {
        const guid = promised.record.bounty.guid;
        if (!this.#stopped) this.#parts.tell("bounty.failed", { guid, reason: describeError(error) });
      })
      .finally(() => {
        promised.running = false;
        this.#running.delete(run);
      });
    this.#running.add(run);
    return run;
  }

  /** Does one duty after the other until the bounty has to wait. */
  async #run(promised: Promised): Promise<void> {
    const guid = promised.record.bounty.guid;
    while (!this.#stopped) {
      const duty = this.#dutyOf(promised);
      if (duty === "wait") return;
      let problem: string | undefined;
      try {
        problem = await this.#perform(duty, promised);
      } catch (error) {
        problem = describeError(error);
      }
      this.#refresh(promised);
      if (problem !== undefined) {
        promised.failures++;
        if (PATIENT.includes(duty)) {
          const pause = Math.min(2 ** (promised.failures - 1), MAX_PAUSE_BLOCKS);
          promised.notBefore = this.#parts.market.head() + pause;
        }
        this.#parts.tell("duty.failed", { guid, duty, reason: problem, attempt: promised.failures });
        return;
      }
      promised.failures = 0;
      if (!this.#agenda.has(guid)) return;
    }
  }

  #dutyOf({ record }: Promised): Duty {
    const { market, ledger } = this.#parts;
    const published =
      record.state !== "asserted" ||
      (ledger.assertion(this.#key(record.bounty.guid))?.metadataUri ?? null) !== null;
    return nextDuty({ record, published, head: market.head(), parameters: market.parameters() });
  }

  /** Reads the record anew; a bounty that came to its end leaves the agenda. */
  #refresh(promised: Promised): void {
    const guid = promised.record.bounty.guid;
    const record = this.#parts.ledger.find(this.#key(guid));
    if (record === undefined || record.state === "settled" || record.state === "abandoned")
      this.#agenda.delete(guid);
    if (record !== undefined) promised.record = record;
  }

  /** Resolves to a sentence when the duty has to be tried again. */
  #perform(duty: Duty, promised: Promised): Promise<string | undefined> {
    const { bounty } = promised.record;
    const key = this.#key(bounty.guid);
    const assertion = this.#parts.ledger.assertion(key);
    if (assertion === undefined)
      throw new Fault("LEDGER_STATE", `Bounty ${bounty.guid} is promised without a plan.`);
    switch (duty) {
      case "post":
        return this.#post(key, promised, assertion);
      case "confirm-post":
        return this.#confirmPost(key, promised, assertion);
      case "publish":
        return this.#publish(key, assertion);
      case "reveal":
        return this.#reveal(key, promised, assertion);
      case "confirm-reveal":
        return this.#confirmReveal(key, promised, assertion);
      case "settle":
        return this.#settle(key, promised, assertion);
      case "confirm-settle":
        return this.#confirmSettle(key, promised, assertion);
      case "miss-reveal":
        this.#missReveal(key, assertion);
        return Promise.resolve(undefined);
      case "give-up":
        this.#giveUp(key, "too-late");
        return Promise.resolve(undefined);
      case "wait":
        return Promise.resolve(undefined);
    }
  }

  async #post(key: BountyKey, promised: Promised, assertion: AssertionRecord): Promise<string | undefined> {
    const { market, ledger, clock } = this.#parts;
    const outcome = await market.assert(
      {
        guid: key.guid,
        bids: assertion.bids,
        mask: assertion.mask,
        artifactCount: promised.record.bounty.artifactCount,
        commitment: assertion.commitment,
        fee: assertion.fee,
      },
      (hashes) => ledger.recordSigned(key, "assert", hashes),
      {
        onRequest: () => {
          if (promised.heardAt !== undefined) ledger.recordRequested(key, clock.now() - promised.heardAt);
        },
      },
    );
    return this.#afterPosting(key, outcome);
  }

  #afterPosting(key: BountyKey, outcome: Outcome<{ readonly index: number }>): string | undefined {
    if (outcome.kind === "done") {
      this.#asserted(key, outcome.value.index);
      return undefined;
    }
    if (
      outcome.kind === "failed" &&
      !outcome.retryable &&
      this.#parts.ledger.signed(key, "assert").length === 0
    ) {
      this.#giveUp(key, "post-failed", outcome.reason);
      return undefined;
    }
    this.#parts.tell("assertion.unconfirmed", { guid: key.guid, reason: outcome.reason });
    return outcome.reason;
  }

  /** Signed, fate unknown: the market's own list decides. */
  async #confirmPost(
    key: BountyKey,
    promised: Promised,
    assertion: AssertionRecord,
  ): Promise<string | undefined> {
    const { market, ledger } = this.#parts;
    const ours = await this.#find(key, assertion);
    if (ours !== undefined) {
      this.#asserted(key, ours.index);
      return undefined;
    }
    const fate = await market.lookUp(ledger.signed(key, "assert"));
    const head = market.head();
    const expiration = promised.record.bounty.expiration;
    if (fate.kind === "failed" && inTimeToPost(expiration, head)) return this.#post(key, promised, assertion);
    // One block beyond the last that could have taken it, so that a node a block behind has shown it too.
    if (head > expiration && fate.kind !== "done") {
      this.#giveUp(key, "post-failed", fate.reason);
      return undefined;
    }
    return fate.kind === "done" ? "mined, but the marketplace does not list it yet" : fate.reason;
  }

  async #publish(key: BountyKey, assertion: AssertionRecord): Promise<string | undefined> {
    const uri = await this.#parts.market.publishMetadata(assertion.metadata);
    this.#parts.ledger.recordMetadataUri(key, uri);
    return undefined;
  }

  async #reveal(key: BountyKey, promised: Promised, assertion: AssertionRecord): Promise<string | undefined> {
    const { market, ledger } = this.#parts;
    const index = assertion.index ?? (await this.#find(key, assertion))?.index;
    if (index === undefined) return "our assertion is not listed on the marketplace";
    const outcome = await market.reveal(
      {
        guid: key.guid,
        index,
        nonce: assertion.nonce,
        verdicts: assertion.verdicts,
        artifactCount: promised.record.bounty.artifactCount,
        metadata: await this.#metadataFor(key, assertion),
      },
      (hashes) => ledger.recordSigned(key, "reveal", hashes),
    );
    if (outcome.kind !== "done") return outcome.reason;
    this.#revealed(key, index);
    return undefined;
  }

  /** The published URI; failing that whatever fits, because an assertion that is not revealed loses every bid. */
  async #metadataFor(key: BountyKey, assertion: AssertionRecord): Promise<string> {
    if (assertion.metadataUri !== null) return assertion.metadataUri;
    try {
      const uri = await this.#parts.market.publishMetadata(assertion.metadata);
      this.#parts.ledger.recordMetadataUri(key, uri);
      return uri;
    } catch {
      const inline = JSON.stringify(assertion.metadata);
      return inline.length <= MAX_INLINE_METADATA ? inline : "";
    }
  }

  async #confirmReveal(
    key: BountyKey,
    promised: Promised,
    assertion: AssertionRecord,
  ): Promise<string | undefined> {
    const { market } = this.#parts;
    const ours = await this.#find(key, assertion);
    if (ours?.revealed) {
      this.#revealed(key, ours.index);
      return undefined;
    }
    if (inTimeToReveal(promised.record.bounty.expiration, market.parameters().revealWindow, market.head())) {
      return this.#reveal(key, promised, assertion);
    }
    this.#missReveal(key, assertion);
    return undefined;
  }

  async #settle(key: BountyKey, promised: Promised, assertion: AssertionRecord): Promise<string | undefined> {
    const { market, ledger } = this.#parts;
    const outcome = await market.settle(key.guid, (hashes) => ledger.recordSigned(key, "settle", hashes));
    return this.#afterSettling(key, promised, assertion, outcome);
  }

  async #confirmSettle(
    key: BountyKey,
    promised: Promised,
    assertion: AssertionRecord,
  ): Promise<string | undefined> {
    const fate = await this.#parts.market.lookUp(this.#parts.ledger.signed(key, "settle"));
    if (fate.kind === "failed" && !/already settled/i.test(fate.reason))
      return this.#settle(key, promised, assertion);
    return this.#afterSettling(key, promised, assertion, fate);
  }

  async #afterSettling(
    key: BountyKey,
    promised: Promised,
    assertion: AssertionRecord,
    outcome: Outcome<{ readonly payout: Nct }>,
  ): Promise<string | undefined> {
    const settledBefore = outcome.kind === "failed" && /already settled/i.test(outcome.reason);
    if (outcome.kind !== "done" && !settledBefore) return outcome.reason;
    const payout = outcome.kind === "done" ? outcome.value.payout : null;
    const judged = await this.#learnTruth(key, promised, assertion);
    this.#parts.ledger.recordSettled(key, payout);
    this.#parts.tell("assertion.settled", {
      guid: key.guid,
      payout: payout === null ? "unknown" : formatNct(payout),
      profit: payout === null ? "unknown" : formatNct(payout - assertion.stake - assertion.fee),
      ...judged,
    });
    return undefined;
  }

  /** What the arbiters decided goes into the ledger, to learn from. Not knowing it delays nothing. */
  async #learnTruth(
    key: BountyKey,
    promised: Promised,
    assertion: AssertionRecord,
  ): Promise<{ right: number; wrong: number }> {
    const count = promised.record.bounty.artifactCount;
    const votes = await this.#parts.market.votes(key.guid).catch(() => []);
    const truth = consensusOf(votes, count);
    if (truth === undefined) return { right: 0, wrong: 0 };
    this.#parts.ledger.recordTruth(key, truth);
    const verdicts = unpackBits(assertion.verdicts, count);
    const spoken = truth.map((malicious, index) => ({ index, same: verdicts[index] === malicious }));
    const masked = spoken.filter(({ index }) => hasBit(assertion.mask, index));
    const right = masked.filter(({ same }) => same).length;
    return { right, wrong: masked.length - right };
  }

  async #find(key: BountyKey, assertion: AssertionRecord): Promise<PostedAssertion | undefined> {
    const { market } = this.#parts;
    const posted = await market.assertions(key.guid);
    return posted.find(
      (item) =>
        item.author.toLowerCase() === market.account.toLowerCase() &&
        item.commitment === assertion.commitment,
    );
  }

  #asserted(key: BountyKey, index: number): void {
    const { ledger, purse, tell } = this.#parts;
    ledger.recordAsserted(key, index);
    purse.spent(key.guid);
    const assertion = ledger.assertion(key);
    tell("assertion.posted", {
      guid: key.guid,
      index,
      stake: formatNct(assertion?.stake ?? 0n),
      ms: assertion?.requestedMs ?? null,
    });
  }

  #revealed(key: BountyKey, index: number): void {
    this.#parts.ledger.recordRevealed(key);
    this.#parts.tell("assertion.revealed", { guid: key.guid, index });
  }

  #missReveal(key: BountyKey, assertion: AssertionRecord): void {
    this.#parts.ledger.recordRevealMissed(key);
    this.#parts.tell("assertion.reveal-missed", { guid: key.guid, stake: formatNct(assertion.stake) });
  }

  #giveUp(key: BountyKey, why: "too-late" | "post-failed", detail?: string): void {
    this.#parts.ledger.abandon(key, why);
    this.#parts.purse.release(key.guid);
    this.#parts.tell("bounty.abandoned", {
      guid: key.guid,
      why,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}

import { RecentKeys } from "../../../async/recent-keys.ts";
import { sameAddress } from "../../../domain/address.ts";
import { countBits, unpackBits } from "../../../domain/bits.ts";
import { Fault } from "../../../domain/fault.ts";
import type { Guid } from "../../../domain/guid.ts";
import { formatNct, type Nct, nct } from "../../../domain/nct.ts";
import type { Logger } from "../../../observe/log.ts";
import type { Signer } from "../../../wallet/transaction.ts";
import { MarketFault } from "../http/answer.ts";
import type {
  AssertionJournal,
  AssertionRequest,
  ContractRefusal,
  Journal,
  LookedUp,
  Outcome,
  PostedAssertion,
  RevealRequest,
} from "../port/marketplace.ts";
import type { Reads } from "../reads/reads.ts";
import type { TransactionEvents } from "../reads/schemas.ts";
import type { ActionRequest } from "../transactions/action-request.ts";
import { failedOutcome } from "../transactions/refusal.ts";
import type { Transactions } from "../transactions/transactions.ts";

interface ActionParts {
  readonly transactions: Transactions;
  readonly reads: Reads;
  readonly signer: Signer;
  readonly log: Logger;
  /** Asks for the parameters anew and returns the assertion fee. */
  readonly refreshFee: (signal: AbortSignal | undefined) => Promise<Nct>;
  /** The wallet refused to sign what the gateway built. */
  readonly onRefused: (refusal: { readonly guid: Guid; readonly reason: string }) => void;
}

const REMEMBERED_REFUSALS = 1_000;

type AssertOptions = { readonly signal?: AbortSignal; readonly onRequest?: () => void };

/**
 * What an engine does to a market. Each ends in an Outcome; whenever something may have been sent and the receipt does
 * not say that it worked, the market's own record is asked before the outcome is called anything but done.
 */
export class Actions {
  readonly #parts: ActionParts;
  readonly #toldRefusals = new RecentKeys(REMEMBERED_REFUSALS);

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  async assert(
    request: AssertionRequest,
    journal: AssertionJournal,
    options: AssertOptions = {},
  ): Promise<Outcome<{ readonly index: number }>> {
    const wrong = whyImpossible(request);
    if (wrong !== undefined) return failedOutcome({ reason: wrong, retryable: false });
    const { signal } = options;
    const outcome = await this.#post(request, journal, options);
    const event =
      outcome.kind === "done"
        ? outcome.value.assertions.find((it) => it.bounty_guid === request.guid && this.#isOurs(it, request))
        : undefined;
    if (event !== undefined) return { kind: "done", value: { index: event.index } };
    if (outcome.kind === "failed" && outcome.refusal !== "already-asserted") return outcome;
    const posted = await this.#quietly(
      this.#parts.reads.asserted.ours(request.guid, { signal, lane: "assertion" }),
      signal,
    );
    const ours = posted?.find((assertion) => this.#isOurs(assertion, request));
    if (ours !== undefined) return { kind: "done", value: { index: ours.index } };
    if (outcome.kind !== "done") return outcome;
    return { kind: "unknown", reason: "The assertion was mined, but the marketplace does not show it yet." };
  }

  async reveal(request: RevealRequest, journal: Journal, signal?: AbortSignal): Promise<Outcome<void>> {
    const { guid, index, nonce, verdicts, metadata, artifactCount } = request;
    if (verdicts >> BigInt(artifactCount) !== 0n) {
      const reason = `The verdicts of bounty ${guid} reach beyond its ${artifactCount} artifacts.`;
      return failedOutcome({ reason, retryable: false });
    }
    const outcome = await this.#perform({
      action: { kind: "reveal", guid, index, nonce, verdicts, metadata },
      lane: "reveal",
      path: `/bounties/${guid}/assertions/${index}/reveal`,
      body: { nonce: nonce.toString(), verdicts: unpackBits(verdicts, artifactCount), metadata },
      journal,
      signal,
    });
    if (outcome.kind === "done") return { kind: "done", value: undefined };
    if (outcome.kind === "failed" && !mayBeRevealed(outcome.refusal)) return outcome;
    // A caller that has stopped waiting looks on the market in a way of its own.
    if (signal?.aborted) return outcome;
    const found = await this.#quietly(
      this.#parts.reads.asserted.at(guid, index, { signal, lane: "reveal" }),
      signal,
    );
    const ours = found !== undefined && sameAddress(found.author, this.#parts.signer.address);
    return ours && found.revealed ? { kind: "done", value: undefined } : outcome;
  }

  async settle(
    guid: Guid,
    journal: Journal,
    signal?: AbortSignal,
  ): Promise<Outcome<{ readonly payout: Nct }>> {
    const outcome = await this.#perform({
      action: { kind: "settle", guid },
      lane: "settle",
      path: `/bounties/${guid}/settle`,
      journal,
      signal,
    });
    return outcome.kind === "done"
      ? { kind: "done", value: { payout: this.#paidBy([outcome.value]) } }
      : outcome;
  }

  async lookUp(hashes: readonly string[], signal?: AbortSignal): Promise<Outcome<LookedUp>> {
    const outcome = await this.#parts.transactions.lookUp(hashes, "settle", signal);
    if (outcome.kind !== "done") return outcome;
    const assertions = outcome.value.flatMap((events) => events.assertions);
    const ours = assertions.find(({ author }) => sameAddress(author, this.#parts.signer.address));
    const payout = this.#paidBy(outcome.value);
    return { kind: "done", value: ours === undefined ? { payout } : { payout, index: ours.index } };
  }

  /** The gateway approves the fee of the moment it builds at; when that is not ours any more, once more with its. */
  async #post(
    request: AssertionRequest,
    journal: AssertionJournal,
    options: AssertOptions,
  ): Promise<Outcome<TransactionEvents>> {
    const { guid, fee } = request;
    const { refreshFee, log } = this.#parts;
    try {
      return await this.#postAtFee(request, journal, options);
    } catch (error) {
      if (!isRefused(error)) throw error;
      const current = await this.#quietly(refreshFee(options.signal));
      if (current === undefined || current === fee) return this.#refused(guid, error);
      log.info({ guid, fee: formatNct(fee), current: formatNct(current) }, "market.fee-changed");
      return this.#orRefused(guid, () => this.#postAtFee({ ...request, fee: current }, journal, options));
    }
  }

  /** Throws Fault TRANSACTION_REFUSED. */
  async #postAtFee(
    request: AssertionRequest,
    journal: AssertionJournal,
    options: AssertOptions,
  ): Promise<Outcome<TransactionEvents>> {
    const { guid, bids, mask, commitment, artifactCount, fee, feeCeiling } = request;
    if (feeCeiling !== undefined && fee > feeCeiling) {
      const reason = `The market charges ${formatNct(fee)} NCT for an assertion; our ceiling is ${formatNct(feeCeiling)} NCT.`;
      return failedOutcome({ reason, retryable: true });
    }
    return this.#parts.transactions.perform({
      action: { kind: "assert", guid, bids, mask, commitment, fee },
      lane: "assertion",
      path: `/bounties/${guid}/assertions`,
      body: {
        bid: bids.map(String),
        mask: unpackBits(mask, artifactCount),
        commitment: commitment.toString(),
      },
      journal: (signed) => journal(signed, fee),
      signal: options.signal,
      onRequest: options.onRequest,
    });
  }

  #perform(request: ActionRequest): Promise<Outcome<TransactionEvents>> {
    return this.#orRefused(request.action.guid, () => this.#parts.transactions.perform(request));
  }

  async #orRefused(
    guid: Guid,
    perform: () => Promise<Outcome<TransactionEvents>>,
  ): Promise<Outcome<TransactionEvents>> {
    try {
      return await perform();
    } catch (error) {
      if (isRefused(error)) return this.#refused(guid, error);
      throw error;
    }
  }

  #refused(guid: Guid, { message: reason }: Fault): Outcome<never> {
    // It is built again, and may be refused again, at every block: told of once.
    if (this.#toldRefusals.add(`${guid} ${reason}`))
      this.#parts.log.error({ guid, reason }, "transaction.refused");
    this.#parts.onRefused({ guid, reason });
    return failedOutcome({ reason, retryable: false });
  }

  /** A question on the side: no answer is no answer, also when it is not waited for any more. */
  async #quietly<T>(question: Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await question;
    } catch (error) {
      if (error instanceof MarketFault || signal?.aborted) return undefined;
      throw error;
    }
  }

  #isOurs(assertion: Pick<PostedAssertion, "author" | "commitment">, request: AssertionRequest): boolean {
    return (
      sameAddress(assertion.author, this.#parts.signer.address) && assertion.commitment === request.commitment
    );
  }

  /** What the transfers of these transactions brought us. */
  #paidBy(events: readonly TransactionEvents[]): Nct {
    const payout = events
      .flatMap(({ transfers }) => transfers)
      .filter(({ to }) => sameAddress(to, this.#parts.signer.address))
      .reduce((sum, { value }) => sum + value, 0n);
    return nct(payout);
  }
}

/** Bids on artifacts that the contract does not count are lost, and a wrong number of bids reverts. */
function whyImpossible({ guid, bids, mask, artifactCount }: AssertionRequest): string | undefined {
  if (mask === 0n) return `The assertion on bounty ${guid} says nothing.`;
  if (mask >> BigInt(artifactCount) !== 0n) {
    return `The mask for bounty ${guid} reaches beyond its ${artifactCount} artifacts.`;
  }
  if (bids.length !== countBits(mask)) {
    return `There are ${bids.length} bids for ${countBits(mask)} artifacts of bounty ${guid}.`;
  }
  return undefined;
}

const isRefused = (error: unknown): error is Fault =>
  error instanceof Fault && error.code === "TRANSACTION_REFUSED";

/** It may be there, by another transaction or from before. */
const mayBeRevealed = (refusal: ContractRefusal | undefined): boolean =>
  refusal === "already-revealed" || refusal === "not-in-reveal-window";

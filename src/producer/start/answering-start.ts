import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigFault, describeError, type Fault } from "../../domain/fault.ts";
import { ANSWERING, loadInTurns } from "./in-turns.ts";
import type { ProducerLease } from "./lease.ts";
import type { Answering, AnsweringParts } from "./open-answering.ts";
import type { Prepared } from "./prepare.ts";

interface AnsweringStartParts extends Omit<AnsweringParts, "prepared" | "seal" | "leased"> {
  readonly lease: Pick<ProducerLease, "take" | "standing" | "giveUpWaiting">;
  /** What the operator chose, where it was loaded already. */
  readonly prepared: Prepared | undefined;
  readonly prepare: () => Promise<Prepared>;
  /** How many bounties have a stake of ours, as the ledger says. */
  readonly staked: () => number;
  /** How many bounties still need something. */
  readonly promised: () => number;
  /** Shows the producer over HTTP. It is called again after a failure, and once more when all is open. */
  readonly serve: () => Promise<void>;
  /** Called when an engine must not go on. */
  readonly broken: (fault: Fault) => void;
}

const TRY_AGAIN_MS = 5_000;
/** What a start cannot go on with, whatever it owes. */
const FATAL = ["CONTRACTS_CHANGED", "PIN_CHANGED", "WALLET_CHANGED"];

/**
 * Begins to answer bounties as soon as that is possible:
 *
 *     trying ──everything is open──► answering
 *       ▲  └──something is wrong ──it is fatal, or nothing is staked──► rejects with it
 *       │                └──otherwise──► told, and a pause ──┐
 *       └────────────────────────────────────────────────────┘
 *
 * What is opened here is closed with it.
 */
export class AnsweringStart implements AsyncDisposable {
  readonly #parts: AnsweringStartParts;
  readonly #opened = new AsyncDisposableStack();
  #prepared: Prepared | undefined;
  #answering: Answering | undefined;
  #trouble: string | undefined;

  constructor(parts: AnsweringStartParts) {
    this.#parts = parts;
    this.#prepared = parts.prepared;
  }

  /** Undefined until bounties are answered. */
  answering(): Answering | undefined {
    return this.#answering;
  }

  /** What went wrong at the last try; undefined when bounties are answered, or nothing was tried to its end. */
  trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when bounties are answered. Rejects with what a start cannot go on with, and when it is ended. */
  async run(): Promise<void> {
    const { end, staked, promised, relay, lease } = this.#parts;
    for (;;) {
      try {
        return await this.#try();
      } catch (error) {
        end.throwIfAborted();
        if (isFatal(error) || staked() === 0) throw error;
        const reason = describeError(error);
        if (reason !== this.#trouble) relay.tell("producer.not-answering", { reason, promised: promised() });
        this.#trouble = reason;
        lease.giveUpWaiting();
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal: end });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }

  async #try(): Promise<void> {
    const { config, end, staked, serve, lease, prepare, broken } = this.#parts;
    // What keeps promises is seen from outside from then on; a start that owes nothing may still end with one line.
    if (staked() > 0) await serve();
    const { readQueueSecret } = await import("../../config/values/queue-secret.ts");
    const { createSeal } = await import("../../redis/seal.ts");
    const seal = createSeal(config.embedded > 0 ? undefined : await readQueueSecret(config));
    await lease.take(seal, end);
    this.#prepared ??= await prepare();
    await loadInTurns(ANSWERING);
    const { openAnswering } = await import("./open-answering.ts");
    const answering = this.#opened.use(
      await openAnswering({
        ...this.#parts,
        prepared: this.#prepared,
        seal,
        leased: () => lease.standing() === "leased",
      }),
    );
    this.#answering = answering;
    for (const engine of answering.engines) void engine.broken.then(broken);
    await serve();
    this.#trouble = undefined;
    answering.begin();
    flushCompileCache();
  }
}

const isFatal = (error: unknown): boolean => error instanceof ConfigFault && FATAL.includes(error.code);

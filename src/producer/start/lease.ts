import type { ProducerConfig } from "../../config/commands/producer.ts";
import type { Address } from "../../domain/address.ts";
import type { Fault } from "../../domain/fault.ts";
import { systemClock } from "../../domain/instant.ts";
import type { Logger } from "../../observe/log.ts";
import { parseRedisAddress } from "../../redis/address.ts";
import type { Seal } from "../../redis/seal.ts";
import type { WalletLease } from "../../redis/wallet-lease.ts";
import type { Tell } from "../events/events.ts";
import type { Standing } from "../process/standing.ts";
import { LEASE, loadInTurns } from "./in-turns.ts";

export interface LeaseParts {
  readonly config: Pick<ProducerConfig, "embedded" | "redisAddr" | "wait">;
  readonly account: Address;
  /** As the lock of the data directory names it. */
  readonly place: string;
  readonly log: Logger;
  readonly tell: Tell;
  /** How many bounties are promised. */
  readonly promised: () => number;
  /** Called when the lease is another's and nothing is promised any more. */
  readonly ended: (fault: Fault) => void;
}

const LOOK_EVERY_MS = 1_000;

/** The producer's standing with the wallet's lease: see standing.ts. */
export class ProducerLease implements AsyncDisposable {
  readonly #parts: LeaseParts;
  #lease: WalletLease | undefined;
  #standing: Standing;
  #looking: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    // Embedded, a producer knows of no other machine: the lock on the data directory is all there is.
    this.#standing = parts.config.embedded > 0 ? "leased" : "unasked";
  }

  standing(): Standing {
    return this.#standing;
  }

  /** Resolves when the lease is ours, or none is needed. Throws as `takeWalletLease` does. */
  async take(seal: Seal, signal: AbortSignal): Promise<void> {
    const { config, account, place, log } = this.#parts;
    if (config.embedded > 0 || this.#lease !== undefined) return;
    const address = parseRedisAddress(config.redisAddr);
    const waitMs = config.wait * 1_000;
    await loadInTurns(LEASE);
    const { takeWalletLease } = await import("../../redis/wallet-lease.ts");
    try {
      this.#lease = await takeWalletLease({
        address,
        account,
        place,
        waitMs,
        clock: systemClock,
        log,
        signal,
        seal,
      });
    } catch (error) {
      this.#standing = "apart";
      throw error;
    }
    this.#standing = "leased";
    this.#unlisten = this.#lease.onChange((loss) => this.#changed(loss));
  }

  /** Redis was away for longer than any other producer would have waited for an answer. */
  giveUpWaiting(): void {
    if (this.#standing === "unasked") this.#standing = "apart";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    this.#unlisten?.();
    await this.#lease?.[Symbol.asyncDispose]();
  }

  #changed(loss: Fault | undefined): void {
    const { account, tell, promised, ended } = this.#parts;
    clearInterval(this.#looking);
    this.#standing = loss === undefined ? "leased" : "apart";
    if (loss === undefined) {
      tell("lease.regained", { account });
      return;
    }
    tell("lease.lost", { account, reason: loss.message, promised: promised() });
    const look = (): void => {
      if (promised() === 0) ended(loss);
    };
    look();
    this.#looking = setInterval(look, LOOK_EVERY_MS);
  }
}

import { describeError } from "../../../domain/fault.ts";
import type { Logger } from "../../../observe/log.ts";
import type { ContractEvents } from "../port/marketplace.ts";
import type { Heard } from "./event-frames.ts";

type Listener<Name extends keyof ContractEvents> = (...args: ContractEvents[Name]) => void;

/** Who wants to know what. A listener that throws harms neither the stream nor the others. */
export class MarketListeners {
  readonly #log: Logger;
  readonly #listeners: { [Name in keyof ContractEvents]?: readonly Listener<Name>[] } = {};

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Returns what takes it off again. */
  add<Name extends keyof ContractEvents>(event: Name, listener: Listener<Name>): () => void {
    const set = (listeners: readonly Listener<Name>[]): void => {
      (this.#listeners[event] as readonly Listener<Name>[]) = listeners;
    };
    // One listener may be added twice.
    const added: Listener<Name> = (...args) => listener(...args);
    set([...(this.#listeners[event] ?? []), added]);
    return () => set((this.#listeners[event] ?? []).filter((one) => one !== added));
  }

  /** How many listen. */
  count(): number {
    return Object.values(this.#listeners).reduce((sum, listeners) => sum + listeners.length, 0);
  }

  emit<Name extends keyof ContractEvents>(event: Name, ...args: ContractEvents[Name]): void {
    for (const listener of this.#listeners[event] ?? []) {
      try {
        listener(...args);
      } catch (error) {
        this.#log.error({ event, reason: describeError(error) }, "market.listener-failed");
      }
    }
  }

  /** Passes a contract event on in the words of the port. */
  tell(heard: Heard): void {
    switch (heard.name) {
      case "bounty":
        this.emit("bounty", heard.notice);
        break;
      case "assertion":
        this.emit("assertion", heard.notice);
        break;
      case "reveal":
        this.emit("reveal", { guid: heard.guid, author: heard.author, index: heard.index });
        break;
      case "vote":
        this.emit("vote", { guid: heard.guid, voter: heard.voter });
        break;
      case "quorum":
        this.emit("quorum", { guid: heard.guid });
        break;
      case "settled_bounty":
        this.emit("settled", { guid: heard.guid, settler: heard.settler, payout: heard.payout });
        break;
      case "deprecated":
        this.emit("deprecated", { rollover: heard.rollover, since: heard.since });
        break;
      case "undeprecated":
        this.emit("undeprecated");
        break;
      default:
      // Blocks, fees and windows change what we know; the client tells of those itself.
    }
  }
}

import type { Guid } from "../../domain/guid.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Recovered } from "../../market/recovery.ts";
import type { Tell } from "../events/events.ts";
import type { RecoverOutcome } from "./outcome.ts";

/** Counts what a run of `recover` does, as it is told. */
export class RecoveryCounts {
  readonly #looks = new Map<Recovered, number>();
  readonly #missed = new Set<Guid>();
  #revealed = 0;
  #settled = 0;
  #settledBefore = 0;
  #payout = 0n;
  #complete = true;

  look(result: Recovered): void {
    this.#looks.set(result, this.#count(result) + 1);
  }

  /** The list of bounties was not read to its end. */
  cutShort(): void {
    this.#complete = false;
  }

  /** To be told what the duties tell. */
  readonly hear: Tell = (event, facts) => {
    if (event === "assertion.revealed") {
      this.#revealed++;
      this.#missed.delete((facts as { guid: Guid }).guid);
    } else if (event === "assertion.reveal-missed") this.#missed.add((facts as { guid: Guid }).guid);
  };

  /** A bounty was settled; `null`: the contract does not say what an earlier settlement paid. */
  settled(payout: Nct | null): void {
    if (payout === null) this.#settledBefore++;
    else {
      this.#settled++;
      this.#payout += payout;
    }
  }

  outcome(account: string, open: number): RecoverOutcome {
    const [known, rebuilt] = [this.#count("known"), this.#count("rebuilt")];
    const [notRebuilt, unread] = [this.#count("not-rebuilt"), this.#count("unread")];
    return {
      account,
      looked: [...this.#looks.values()].reduce((sum, count) => sum + count, 0),
      assertions: known + rebuilt + notRebuilt,
      known,
      rebuilt,
      notRebuilt,
      unread,
      open,
      complete: this.#complete,
      revealed: this.#revealed,
      missed: this.#missed.size,
      settled: this.#settled,
      settledBefore: this.#settledBefore,
      payout: this.#payout,
    };
  }

  #count(result: Recovered): number {
    return this.#looks.get(result) ?? 0;
  }
}

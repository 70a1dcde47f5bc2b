import type { DistillEngine, Testimony } from "../../distill/contract.ts";
import { learn, MOST_PRECEDENTS } from "../../distill/experience/learn.ts";
import { NOTHING_LEARNED, type Reliability } from "../../distill/experience/reliability.ts";
import { knowledgeAbout } from "../../distill/knowledge.ts";
import type { ChainName } from "../../domain/chain.ts";
import { describeError } from "../../domain/fault.ts";
import type { Opinion } from "../../domain/opinion.ts";
import type { SettledArtifact } from "../../domain/settled.ts";
import type { Silence } from "../../domain/silence.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Tell } from "../events/events.ts";

interface LearnedDistillerParts {
  readonly engine: DistillEngine;
  readonly silence: Silence;
  readonly ledger: Pick<Ledger, "newestSettled" | "settledOf">;
}

/** Learned anew when this part more was settled: at every settlement in the beginning, seldom when much is known. */
const GROWTH = 0.02;

/**
 * Makes opinions, and learns from what becomes of them: from the ledger's history at the start, from each settlement
 * afterwards. What was learned lives in memory alone, and is the same after a restart.
 */
export class LearnedDistiller {
  readonly #parts: LearnedDistillerParts;
  /** Oldest first, at most MOST_PRECEDENTS. */
  #history: readonly SettledArtifact[];
  #unlearned = 0;
  #reliability: Reliability = NOTHING_LEARNED;

  constructor(parts: LearnedDistillerParts) {
    this.#parts = parts;
    this.#history = parts.ledger.newestSettled(MOST_PRECEDENTS).toReversed();
    this.#learn();
  }

  distill(testimony: Testimony): Opinion {
    const { engine, silence } = this.#parts;
    return engine.distill(testimony, knowledgeAbout(testimony, silence, this.#reliability));
  }

  /** Tells as `tell` does, and heeds the settlements of this chain. */
  heeding(chain: ChainName, tell: Tell): Tell {
    return (event, facts) => {
      tell(event, facts);
      if (event !== "assertion.settled" || !("guid" in facts)) return;
      const { guid } = facts;
      try {
        this.#heed(this.#parts.ledger.settledOf({ chain, guid }));
      } catch (error) {
        // A duty tells this, and has done its work: what could not be read is not learned.
        tell("bounty.failed", { guid, reason: describeError(error) });
      }
    };
  }

  #heed(settled: readonly SettledArtifact[]): void {
    this.#history = [...this.#history, ...settled].slice(-MOST_PRECEDENTS);
    this.#unlearned += settled.length;
    if (this.#unlearned > this.#history.length * GROWTH) this.#learn();
  }

  #learn(): void {
    this.#reliability = learn(this.#history, this.#parts.silence);
    this.#unlearned = 0;
  }
}

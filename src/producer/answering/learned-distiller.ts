import type { DistillEngine, Testimony } from "../../distill/contract.ts";
import { learn, MOST_PRECEDENTS } from "../../distill/experience/learn.ts";
import { NOTHING_LEARNED, type Reliability } from "../../distill/experience/reliability.ts";
import { knowledgeAbout } from "../../distill/knowledge.ts";
import { describeError } from "../../domain/fault.ts";
import type { Opinion } from "../../domain/opinion.ts";
import type { SettledArtifact } from "../../domain/settled.ts";
import type { Silence } from "../../domain/silence.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyKey } from "../../ledger/records.ts";
import type { Tell } from "../events/events.ts";

interface LearnedDistillerParts {
  readonly engine: DistillEngine;
  readonly silence: Silence;
  readonly ledger: Pick<Ledger, "newestSettled" | "settledOf">;
  readonly tell: Tell;
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

  /** Learns from a bounty that was settled. What the ledger cannot be asked for is not learned, and told of. */
  learnFrom(key: BountyKey): void {
    const { ledger, tell } = this.#parts;
    try {
      this.#add(ledger.settledOf(key));
    } catch (error) {
      tell("bounty.failed", { guid: key.guid, reason: describeError(error) });
    }
  }

  #add(settled: readonly SettledArtifact[]): void {
    this.#history = [...this.#history, ...settled].slice(-MOST_PRECEDENTS);
    this.#unlearned += settled.length;
    if (this.#unlearned > this.#history.length * GROWTH) this.#learn();
  }

  #learn(): void {
    this.#reliability = learn(this.#history, this.#parts.silence);
    this.#unlearned = 0;
  }
}

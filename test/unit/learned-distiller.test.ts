import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import type { SettledArtifact } from "../../src/domain/settled.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { LearnedDistiller } from "../../src/producer/answering/learned-distiller.ts";
import type { Tell } from "../../src/producer/events/events.ts";
import { anAnswer, GUID } from "../fixtures/bounties.ts";

const silence = () => new Map();
const testimony = { asked: ["eicar"], answers: [anAnswer()] };
const past = (malicious: boolean): SettledArtifact => ({
  malicious,
  types: ["text/plain"],
  answers: [{ backend: "eicar", verdict: "malicious", confidence: 1 }],
  given: null,
});

/** A distiller over a history, and what settled bounties will turn out to have held. */
function distillerOf(history: readonly SettledArtifact[], settled: (key: BountyKey) => SettledArtifact[]) {
  const told: string[] = [];
  const tell: Tell = (event) => told.push(event);
  const ledger = { newestSettled: () => history, settledOf: settled };
  const distiller = new LearnedDistiller({ engine: bayes, silence, ledger, tell });
  return { distiller, told, settle: () => distiller.learnFrom({ market: "side", guid: parseGuid(GUID) }) };
}

describe("a distiller that learns", () => {
  it("knows at its start what the ledger's history teaches", () => {
    const wrong = Array.from({ length: 50 }, () => [past(true), past(false)]).flat();
    const naive = distillerOf([], () => []).distiller.distill(testimony);
    const taught = distillerOf(wrong, () => []).distiller.distill(testimony);
    expect(naive.verdict).toBe("malicious");
    expect(taught.verdict).toBe("suspicious");
  });

  it("learns from every settlement that it is told of", () => {
    const asked: BountyKey[] = [];
    const { distiller, told, settle } = distillerOf([past(true)], (key) => {
      asked.push(key);
      return [past(false)];
    });
    const before = distiller.distill(testimony).probability;
    settle();
    expect(distiller.distill(testimony).probability).toBeLessThan(before);
    expect(asked).toEqual([{ market: "side", guid: GUID }]);
    expect(told).toEqual([]);
  });

  it("keeps its opinion for a while when much is known, and learns in time all the same", () => {
    const history = Array.from({ length: 400 }, (_, index) => past(index % 4 !== 0));
    const { distiller, settle } = distillerOf(history, () => [past(false)]);
    const before = distiller.distill(testimony).probability;
    // However regularly truth returns.
    expect(Math.abs(before - 750_000)).toBeLessThan(20_000);
    settle();
    expect(distiller.distill(testimony).probability).toBe(before);
    for (let settled = 0; settled < 10; settled++) settle();
    expect(distiller.distill(testimony).probability).not.toBe(before);
  });

  it("costs no duty anything when the ledger cannot be read", () => {
    const { distiller, told, settle } = distillerOf([], () => {
      throw new Error("disk I/O error");
    });
    expect(settle).not.toThrow();
    expect(told).toEqual(["bounty.failed"]);
    expect(distiller.distill(testimony).verdict).toBe("malicious");
  });
});

import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import type { SettledArtifact } from "../../src/domain/settled.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { LearnedDistiller } from "../../src/producer/answering/learned-distiller.ts";
import type { ProducerEvents, Tell } from "../../src/producer/events/events.ts";
import { anAnswer, GUID } from "../fixtures/bounties.ts";

const silence = () => new Map();
const testimony = { asked: ["eicar"], answers: [anAnswer()] };
const past = (malicious: boolean): SettledArtifact => ({
  malicious,
  types: ["text/plain"],
  answers: [{ backend: "eicar", verdict: "malicious", confidence: 1 }],
  given: null,
});
const settlement: ProducerEvents["assertion.settled"] = {
  guid: GUID,
  payout: "1",
  profit: "0",
  right: 1,
  wrong: 0,
};

/** A judge over a history, and what settled bounties will turn out to have held. */
function judgeOf(history: readonly SettledArtifact[], settled: (key: BountyKey) => SettledArtifact[]) {
  const told: string[] = [];
  const tell: Tell = (event) => told.push(event);
  const ledger = { newestSettled: () => history, settledOf: settled };
  const distiller = new LearnedDistiller({ engine: bayes, silence, ledger });
  return { distiller, told, heeding: distiller.heeding("side", tell) };
}

describe("the judge", () => {
  it("knows at its start what the ledger's history teaches", () => {
    const wrong = Array.from({ length: 50 }, () => [past(true), past(false)]).flat();
    const naive = judgeOf([], () => []).distiller.distill(testimony);
    const taught = judgeOf(wrong, () => []).distiller.distill(testimony);
    expect(naive.verdict).toBe("malicious");
    expect(taught.verdict).toBe("suspicious");
  });

  it("learns from every settlement of its chain, and passes on what it hears", () => {
    const asked: BountyKey[] = [];
    const { distiller, told, heeding } = judgeOf([past(true)], (key) => {
      asked.push(key);
      return [past(false)];
    });
    const before = distiller.distill(testimony).probability;
    heeding("assertion.settled", settlement);
    expect(distiller.distill(testimony).probability).toBeLessThan(before);
    expect(asked).toEqual([{ chain: "side", guid: GUID }]);
    heeding("assertion.revealed", { guid: parseGuid(GUID), index: 0 });
    expect(told).toEqual(["assertion.settled", "assertion.revealed"]);
    expect(asked).toHaveLength(1);
  });

  it("keeps its opinion for a while when much is known, and learns in time all the same", () => {
    const history = Array.from({ length: 400 }, (_, index) => past(index % 4 !== 0));
    const { distiller, heeding } = judgeOf(history, () => [past(false)]);
    const before = distiller.distill(testimony).probability;
    // However regularly truth returns.
    expect(Math.abs(before - 750_000)).toBeLessThan(20_000);
    heeding("assertion.settled", settlement);
    expect(distiller.distill(testimony).probability).toBe(before);
    for (let settled = 0; settled < 10; settled++) heeding("assertion.settled", settlement);
    expect(distiller.distill(testimony).probability).not.toBe(before);
  });

  it("costs no duty anything when the ledger cannot be read", () => {
    const { distiller, told, heeding } = judgeOf([], () => {
      throw new Error("disk I/O error");
    });
    expect(() => heeding("assertion.settled", settlement)).not.toThrow();
    expect(told).toEqual(["assertion.settled", "bounty.failed"]);
    expect(distiller.distill(testimony).verdict).toBe("malicious");
  });
});

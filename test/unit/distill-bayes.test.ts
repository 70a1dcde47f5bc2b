import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import type { Knowledge } from "../../src/distill/contract.ts";
import { learn } from "../../src/distill/experience/learn.ts";
import { NOTHING_LEARNED, type Reliability } from "../../src/distill/experience/reliability.ts";
import { leanOpinion } from "../../src/distill/lean.ts";
import { NO_OPINION_REASONS, type ScanAnswer } from "../../src/domain/scan.ts";
import type { SettledArtifact } from "../../src/domain/settled.ts";
import { PPM_ONE, type Ppm, ppm, ratioOf, VERDICTS } from "../../src/domain/verdict.ts";
import { anAnswer } from "../fixtures/bounties.ts";
import { MARKET, settle, simulate } from "../fixtures/simulated-engines.ts";

const malicious = (backend: string, confidence = 1) => anAnswer({ backend, confidence });
const benign = (backend: string, confidence = 1) => anAnswer({ backend, verdict: "benign", confidence });
const unknown = (backend: string, reason: ScanAnswer["reason"] = "no-match") =>
  anAnswer({ backend, verdict: "unknown", confidence: 0, ...(reason === undefined ? {} : { reason }) });

const nobody = new Map<string, Ppm>();
const untaught: Knowledge = { silence: nobody, reliability: NOTHING_LEARNED };
const opinionOf = (
  answers: readonly ScanAnswer[],
  knowledge = untaught,
  asked = answers.map(({ backend }) => backend),
) => bayes.distill({ asked, answers }, knowledge);
const chance = (answers: readonly ScanAnswer[], knowledge = untaught) =>
  ratioOf(opinionOf(answers, knowledge).probability);
const width = ([low, high]: readonly [Ppm, Ppm]) => high - low;

/** `times` artifacts of one truth about which everybody said the same. */
const past = (
  times: number,
  truth: boolean,
  answers: readonly ScanAnswer[],
  types = answers[0]!.types,
): SettledArtifact[] =>
  Array.from({ length: times }, () => ({ malicious: truth, types, answers, given: null }));
const taught = (...history: readonly SettledArtifact[][]): Knowledge => ({
  silence: nobody,
  reliability: learn(history.flat(), () => nobody),
});

describe("before anything was settled", () => {
  it("asserts on one backend that is sure, and is a little more careful than its word", () => {
    expect(opinionOf([malicious("one")])).toMatchObject({
      verdict: "malicious",
      confidence: 950_000,
      probability: 950_000,
      reason: "one malicious 1",
    });
    expect(opinionOf([benign("one", 0.8)])).toMatchObject({
      verdict: "benign",
      confidence: 770_000,
      probability: 230_000,
    });
  });

  it("is never surer than a backend that is alone, and stakes nothing on the word of one that tosses a coin", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        fc.constantFrom(malicious, benign),
        (sure, says) => {
          expect(opinionOf([says("one", sure)]).confidence).toBeLessThanOrEqual(Math.ceil(sure * PPM_ONE));
        },
      ),
    );
    for (const sure of [0.5, 0.3, 0, Number.NaN]) {
      expect(opinionOf([malicious("one", sure)])).toMatchObject({
        verdict: "suspicious",
        confidence: 500_000,
      });
    }
  });

  it("stays close to the engine that takes everybody at their word", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(malicious, benign),
        (sure, says) => {
          const answers = [says("one", sure)];
          const plain = leanOpinion({ asked: ["one"], answers }, { silence: nobody }).probability;
          expect(Math.abs(opinionOf(answers).probability - plain)).toBeLessThanOrEqual(50_000);
        },
      ),
    );
  });

  it("takes silence for benign only where the operator says so, and its edge for as much as he says, less a tenth", () => {
    expect(opinionOf([unknown("eicar")])).toMatchObject({ verdict: "unknown", confidence: 0 });
    const knowledge = { ...untaught, silence: new Map([["eicar", ppm(0.8)]]) };
    expect(opinionOf([unknown("eicar")], knowledge)).toMatchObject({
      verdict: "benign",
      confidence: 770_000,
    });
  });

  it("calls an even dispute and a suspicion suspicious, so that nothing is staked on them", () => {
    expect(opinionOf([malicious("one"), benign("two")]).verdict).toBe("suspicious");
    expect(opinionOf([anAnswer({ verdict: "suspicious" })]).verdict).toBe("suspicious");
  });

  it("counts newcomers that agree for less than so many strangers, for nobody knows who copies whom", () => {
    const one = chance([malicious("one", 0.8)]);
    const two = chance([malicious("one", 0.8), malicious("two", 0.8)]);
    const odds = (p: number) => p / (1 - p);
    expect(odds(two)).toBeGreaterThan(odds(one) * 2);
    expect(odds(two)).toBeLessThan(odds(one) ** 2 * 0.75);
  });
});

describe("with a record", () => {
  const good = taught(past(200, true, [malicious("one")]), past(200, false, [benign("one")]));
  const poor = taught(
    past(100, true, [malicious("one")]),
    past(100, false, [malicious("one")]),
    past(100, true, [benign("one")]),
    past(100, false, [benign("one")]),
  );

  it("believes a backend that was always right more than it claims, one that guesses not at all", () => {
    expect(chance([malicious("one")], good)).toBeGreaterThan(0.98);
    expect(chance([malicious("one", 0.8)], good)).toBeGreaterThan(0.98);
    expect(opinionOf([malicious("one")], poor)).toMatchObject({ verdict: "suspicious" });
    expect(chance([malicious("one")], poor)).toBeLessThan(0.55);
  });

  it("stops staking on a word that was wrong eight times and never right, and is wary after three", () => {
    const [three, eight] = [3, 8].map((times) =>
      opinionOf([malicious("one")], taught(past(times, false, [malicious("one")]))),
    );
    expect(three).toMatchObject({ verdict: "malicious" });
    expect(three!.confidence).toBeLessThan(725_000);
    expect(eight).toMatchObject({ verdict: "suspicious" });
  });

  it("is as sceptical of a new backend as ever, whatever the others have shown", () => {
    expect(chance([malicious("new")], good)).toBeCloseTo(0.95, 1);
    expect(chance([malicious("one")], good)).toBeGreaterThan(chance([malicious("new")], good));
  });

  it("knows the more of a backend the more was settled, and says so by its interval", () => {
    const widths = [0, 10, 100, 1_000].map((times) =>
      width(
        opinionOf(
          [malicious("one")],
          taught(
            past(times, true, [malicious("one")]),
            past(times, false, [benign("one")]),
            past(times / 10, false, [malicious("one")]),
            past(times / 10, true, [benign("one")]),
          ),
        ).interval,
      ),
    );
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(widths.at(-1)).toBeLessThan(widths[0]! / 4);
  });

  it("keeps a record for each class of types, and falls back on the whole record where there is little", () => {
    const pdf = ["application/pdf"];
    const exe = ["application/x-msdownload"];
    const on = (types: readonly string[], says: (backend: string) => ScanAnswer) => [
      { ...says("one"), types },
    ];
    const mixed = taught(
      past(200, true, on(exe, malicious)),
      past(200, false, on(exe, benign)),
      past(100, true, on(pdf, malicious)),
      past(100, false, on(pdf, malicious)),
      past(100, true, on(pdf, benign)),
      past(100, false, on(pdf, benign)),
    );
    const zip = ["application/zip"];
    const [executable, document, archive] = [exe, pdf, zip].map((types) =>
      chance(on(types, malicious), mixed),
    );
    expect(executable).toBeGreaterThan(0.95);
    expect(document).toBeLessThan(0.65);
    expect(archive).toBeGreaterThan(document!);
    expect(archive).toBeLessThan(executable!);
  });

  it("keeps apart what a backend is sure of and what it is not", () => {
    const frank = taught(
      past(200, true, [malicious("one", 0.9)]),
      past(100, true, [malicious("one", 0.4)]),
      past(100, false, [malicious("one", 0.4)]),
      past(200, false, [benign("one")]),
    );
    expect(chance([malicious("one", 0.9)], frank)).toBeGreaterThan(0.95);
    expect(chance([malicious("one", 0.4)], frank)).toBeLessThan(0.7);
  });

  it("five copies of one engine convince hardly more than one of them", () => {
    const names = ["a", "b", "c", "d", "e"];
    const all = (says: (backend: string) => ScanAnswer) => names.map(says);
    const copies = taught(
      past(300, true, all(malicious)),
      past(100, true, all(benign)),
      past(300, false, all(benign)),
      past(100, false, all(malicious)),
    );
    const [one, five] = [chance([malicious("a")], copies), chance(all(malicious), copies)];
    expect(one).toBeGreaterThan(0.7);
    expect(five - one).toBeLessThan(0.06);
    expect(width(opinionOf(all(malicious), copies).interval)).toBeGreaterThan(0);
  });

  it("adds up what independent engines say", () => {
    const engines = ["a", "b", "c"].map((name) => ({ name, sensitivity: 0.75, specificity: 0.75 }));
    const history = simulate(2_000, 11, engines, 0.5).map((artifact) => settle(artifact));
    const knowledge = { silence: nobody, reliability: learn(history, () => nobody) };
    const exe = (backend: string) => ({ ...malicious(backend), types: ["application/x-msdownload"] });
    // Three independent accusations at 3 to 1 each are 27 to 1.
    expect(chance(["a", "b", "c"].map(exe), knowledge)).toBeGreaterThan(0.94);
    expect(chance(["a", "b", "c"].map(exe), knowledge)).toBeLessThan(0.98);
  });

  it("neither the base rate nor a record of silence makes a verdict that nobody spoke for", () => {
    const infested = taught(past(500, true, [malicious("one")]), past(5, false, [malicious("one")]));
    expect(opinionOf([unknown("two")], infested).verdict).toBe("unknown");
    expect(opinionOf([anAnswer({ backend: "two", verdict: "suspicious" })], infested).verdict).toBe(
      "suspicious",
    );
    const telling = taught(past(500, true, [malicious("one")]), past(500, false, [unknown("one")]));
    expect(opinionOf([unknown("one")], telling)).toMatchObject({ verdict: "unknown", confidence: 0 });
    expect(chance([unknown("one")], telling)).toBeLessThan(0.1);
  });

  it("whose word is worth nothing makes no verdict, however many artifacts are malicious anyway", () => {
    const infested = taught(
      past(300, true, [benign("two"), malicious("one", 0.9)]),
      past(60, false, [malicious("two"), benign("one", 0.9)]),
    );
    expect(chance([malicious("two")], infested)).toBeGreaterThan(0.55);
    expect(opinionOf([malicious("two")], infested).verdict).toBe("suspicious");
    expect(opinionOf([malicious("new", 0.5)], infested).verdict).toBe("suspicious");
    expect(opinionOf([malicious("one", 0.9)], infested).verdict).toBe("malicious");
  });

  it("a record of being always wrong makes a word worth nothing, not the contrary", () => {
    const contrary = taught(past(200, false, [malicious("one")]), past(200, true, [benign("one")]));
    expect(chance([malicious("one")], contrary)).toBeCloseTo(0.5, 1);
    expect(opinionOf([malicious("one")], contrary).verdict).toBe("suspicious");
  });
});

const silence = new Map([["quiet", ppm(0.75)]]);
const noisy = MARKET.map((engine) => ({ ...engine, sensitivity: 0.5, specificity: 0.6 }));
const reliabilities: readonly Reliability[] = [
  NOTHING_LEARNED,
  ...[3, 40, 150, 600].map((count) =>
    learn(
      simulate(count, count).map((one) => settle(one)),
      () => silence,
    ),
  ),
  learn(
    simulate(300, 5, noisy, 0.1).map((one) => settle(one)),
    () => silence,
  ),
  learn(
    simulate(300, 6, MARKET, 0.95).map((one) => settle(one)),
    () => silence,
  ),
];
const names = [...MARKET.map(({ name }) => name), "new", "newer"];
const anyKnowledge = fc.constantFrom(...reliabilities).map((reliability) => ({ silence, reliability }));
const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const anyAnswers = fc
  .uniqueArray(
    fc.record({
      backend: fc.constantFrom(...names),
      verdict: fc.constantFrom(...VERDICTS),
      confidence: ratio,
      reason: fc.constantFrom(...NO_OPINION_REASONS),
    }),
    { maxLength: 6, selector: ({ backend }) => backend },
  )
  .map((given) =>
    given.map(({ backend, verdict, confidence, reason }) =>
      verdict === "unknown"
        ? unknown(backend, reason)
        : anAnswer({ backend, verdict, confidence, family: `F${backend.length}` }),
    ),
  );

describe("whatever was learned and whatever is said", () => {
  it("the order of the answers makes no difference", () => {
    const shuffled = anyAnswers.chain((answers) =>
      fc.tuple(fc.constant(answers), fc.shuffledSubarray(answers, { minLength: answers.length })),
    );
    fc.assert(
      fc.property(shuffled, anyKnowledge, ([answers, others], knowledge) => {
        expect(opinionOf(others, knowledge, names)).toEqual(opinionOf(answers, knowledge, names));
      }),
    );
  });

  it("the order of the answers makes no difference to what is learned from them either", () => {
    const history = simulate(200, 17).map((one) => settle(one));
    const turned = history.map((one) => ({ ...one, answers: one.answers.toReversed() }));
    expect(learn(turned, () => silence)).toEqual(learn(history, () => silence));
  });

  it("probability lies in its interval, and confidence is the chance that the verdict is right", () => {
    fc.assert(
      fc.property(anyAnswers, anyKnowledge, (answers, knowledge) => {
        const { probability, interval, confidence, verdict } = opinionOf(answers, knowledge, names);
        const [low, high] = interval;
        expect(low).toBeLessThanOrEqual(probability);
        expect(probability).toBeLessThanOrEqual(high);
        for (const value of [low, high, probability, confidence]) {
          expect(Number.isInteger(value) && value >= 0 && value <= PPM_ONE).toBe(true);
        }
        expect(confidence).toBe(verdict === "unknown" ? 0 : Math.max(probability, PPM_ONE - probability));
        if (verdict === "malicious") expect(probability).toBeGreaterThan(550_000);
        if (verdict === "benign") expect(probability).toBeLessThan(450_000);
      }),
    );
  });

  it.each([
    ["malicious", malicious, 1],
    ["benign", benign, -1],
  ] as const)("one more who says %s never makes it less so", (_, says, sign) => {
    fc.assert(
      fc.property(anyAnswers, anyKnowledge, ratio, fc.nat(8), (answers, knowledge, sure, pick) => {
        const free = names.filter((name) => !answers.some(({ backend }) => backend === name));
        // What the types are must not change with the answer: all have the same.
        if (!answers.some(({ verdict, reason }) => verdict !== "unknown" || reason === "no-match")) return;
        const more = [...answers, says(free[pick % free.length]!, sure)];
        const [before, after] = [answers, more].map((some) => opinionOf(some, knowledge, names).probability);
        expect(sign * (after! - before!)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 400 },
    );
  });

  it("an answer that is missing widens the interval and changes nothing else", () => {
    fc.assert(
      fc.property(anyAnswers, anyKnowledge, fc.boolean(), (answers, knowledge, failed) => {
        const asked = answers.map(({ backend }) => backend);
        const complete = opinionOf(answers, knowledge, asked);
        const lost = failed
          ? opinionOf([...answers, unknown("lost", "crashed")], knowledge, [...asked, "lost"])
          : opinionOf(answers, knowledge, [...asked, "lost"]);
        expect(lost.probability).toBe(complete.probability);
        expect(lost.verdict).toBe(complete.verdict);
        const [inner, outer] = [complete.interval, lost.interval];
        expect(outer[0]).toBeLessThanOrEqual(inner[0]);
        expect(outer[1]).toBeGreaterThanOrEqual(inner[1]);
        // At the ends of the scale there may be no room to widen.
        if (inner[0] > 1_000 && inner[1] < 999_000) expect(width(outer)).toBeGreaterThan(width(inner));
      }),
    );
  });

  it("nobody's failure, lateness or indecision is ever a sign of benign", () => {
    const failures = NO_OPINION_REASONS.filter((reason) => reason !== "no-match");
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...failures), { maxLength: 6 }),
        anyKnowledge,
        (reasons, knowledge) => {
          const answers = reasons.map((reason, index) => unknown(names[index]!, reason));
          expect(opinionOf(answers, knowledge, names)).toMatchObject({
            verdict: "unknown",
            probability: 500_000,
          });
        },
      ),
    );
  });
});

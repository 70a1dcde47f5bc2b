import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leanOpinion } from "../../src/distill/lean.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { NO_OPINION_REASONS, type ScanAnswer } from "../../src/domain/scan.ts";
import { PPM_ONE, type Ppm, ppm, VERDICTS } from "../../src/domain/verdict.ts";

const answer = (changes: Partial<ScanAnswer> = {}): ScanAnswer => ({
  jobId: "job",
  guid: parseGuid("00000000-0000-0000-0000-000000000001"),
  artifactIndex: 0,
  backend: "one",
  verdict: "malicious",
  confidence: 1,
  metadata: {},
  types: [],
  timings: { queuedMs: 1, fetchMs: 1, scanMs: 1 },
  consumer: "consumer-1",
  ...changes,
});

const malicious = (backend: string, confidence: number) =>
  answer({ backend, verdict: "malicious", confidence });
const benign = (backend: string, confidence: number) => answer({ backend, verdict: "benign", confidence });
const unknown = (backend: string, reason: ScanAnswer["reason"] = "no-match") =>
  answer({ backend, verdict: "unknown", confidence: 0, ...(reason === undefined ? {} : { reason }) });

const trustNobody = { silence: new Map<string, Ppm>() };
const opinionOf = (answers: readonly ScanAnswer[], asked = answers.map(({ backend }) => backend)) =>
  leanOpinion({ asked, answers }, trustNobody);
const width = ([low, high]: readonly [Ppm, Ppm]) => high - low;

describe("distilling", () => {
  it("takes over the confidence of a backend that is alone, exactly", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: PPM_ONE / 2, max: PPM_ONE }),
        fc.constantFrom("malicious", "benign"),
        (sure, verdict) => {
          const opinion = opinionOf([answer({ verdict, confidence: sure / PPM_ONE })]);
          expect(opinion.confidence).toBe(sure);
          expect(opinion.verdict).toBe(sure > 550_000 ? verdict : "suspicious");
        },
      ),
    );
  });

  it("knows nothing when nobody does, and says so", () => {
    const nobody = opinionOf([unknown("one"), unknown("two", "timeout")], ["one", "two", "three"]);
    expect(nobody).toMatchObject({
      verdict: "unknown",
      confidence: 0,
      probability: 500_000,
      interval: [0, PPM_ONE],
    });
    expect(nobody.reason).toBe("one unknown (no-match), two unknown (timeout), three no answer");
    expect(opinionOf([])).toMatchObject({ verdict: "unknown", confidence: 0 });
  });

  it("is surer when backends agree and less sure when they do not", () => {
    const alone = opinionOf([malicious("one", 0.8)]);
    const agreed = opinionOf([malicious("one", 0.8), malicious("two", 0.75)]);
    const disputed = opinionOf([malicious("one", 0.8), benign("two", 0.65)]);
    expect(alone.confidence).toBe(800_000);
    expect(agreed.confidence).toBe(900_000);
    expect(disputed).toMatchObject({ verdict: "malicious", confidence: 650_000 });
  });

  it("calls an even dispute suspicious, so that nothing is staked on it", () => {
    expect(opinionOf([malicious("one", 1), benign("two", 1)])).toMatchObject({
      verdict: "suspicious",
      confidence: 500_000,
      probability: 500_000,
    });
    expect(opinionOf([malicious("one", 0.8), benign("two", 0.75)]).verdict).toBe("suspicious");
  });

  it("a suspicion alone is never enough for an accusation", () => {
    expect(opinionOf([answer({ verdict: "suspicious", confidence: 1 })]).verdict).toBe("suspicious");
  });

  it("takes silence for benign only where the operator says so", () => {
    const testimony = { asked: ["clamav"], answers: [unknown("clamav")] };
    expect(leanOpinion(testimony, trustNobody).verdict).toBe("unknown");
    const opinion = leanOpinion(testimony, { silence: new Map([["clamav", ppm(0.6)]]) });
    expect(opinion).toMatchObject({ verdict: "benign", confidence: 600_000, probability: 400_000 });
  });

  it.each(NO_OPINION_REASONS.filter((reason) => reason !== "no-match"))(
    "never takes %s for benign, whatever the operator says of silence",
    (reason) => {
      const testimony = { asked: ["clamav"], answers: [unknown("clamav", reason)] };
      expect(leanOpinion(testimony, { silence: new Map([["clamav", ppm(1)]]) }).verdict).toBe("unknown");
    },
  );

  it("widens the interval for backends that gave no answer or failed, not for those that had none to give", () => {
    const heard = [malicious("one", 0.9)];
    const complete = width(opinionOf(heard).interval);
    const lost = width(opinionOf(heard, ["one", "two"]).interval);
    expect(lost).toBeGreaterThan(complete);
    expect(width(opinionOf([...heard, unknown("two", "crashed")]).interval)).toBe(lost);
    for (const reason of ["no-match", "undecided", "not-accepted"] as const)
      expect(width(opinionOf([...heard, unknown("two", reason)]).interval)).toBe(complete);
  });

  it("narrows the interval the more backends agree", () => {
    const opinions = [1, 2, 3, 4].map((count) =>
      opinionOf(Array.from({ length: count }, (_, index) => malicious(`b${index}`, 1))),
    );
    expect(opinions.map(({ interval }) => interval[0])).toEqual([500_000, 666_667, 750_000, 800_000]);
    expect(opinions.map(({ interval }) => interval[1])).toEqual([PPM_ONE, PPM_ONE, PPM_ONE, PPM_ONE]);
  });

  it("names the family of the most confident backend that agrees with the verdict", () => {
    const answers = [
      { ...malicious("one", 0.5), family: "Weak" },
      { ...malicious("two", 0.9), family: "Strong" },
      { ...benign("three", 0.2), family: "Nonsense" },
    ];
    expect(opinionOf(answers).family).toBe("Strong");
    expect(opinionOf([malicious("one", 1)]).family).toBe("");
  });

  it("takes a confidence that is no ratio for the nearest one", () => {
    expect(opinionOf([malicious("one", 7)]).confidence).toBe(PPM_ONE);
    expect(opinionOf([malicious("one", Number.NaN)]).confidence).toBe(500_000);
  });
});

const anyAnswers = fc
  .array(
    fc.record({
      verdict: fc.constantFrom(...VERDICTS),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((given) =>
    given.map(({ verdict, confidence }, index) =>
      verdict === "unknown"
        ? unknown(`b${index}`, NO_OPINION_REASONS[Math.floor(confidence * (NO_OPINION_REASONS.length - 1))])
        : answer({ backend: `b${index}`, verdict, confidence, family: `F${index % 3}` }),
    ),
  );

describe("whatever the backends say", () => {
  it("their order makes no difference", () => {
    const shuffled = anyAnswers.chain((answers) =>
      fc.tuple(fc.constant(answers), fc.shuffledSubarray(answers, { minLength: answers.length })),
    );
    fc.assert(
      fc.property(shuffled, ([answers, others]) => {
        const asked = answers.map(({ backend }) => backend);
        expect(opinionOf(others, asked)).toEqual(opinionOf(answers, asked));
      }),
    );
  });

  it("probability lies in its interval, all within 0 and 1, and confidence is the chance that the verdict is right", () => {
    fc.assert(
      fc.property(anyAnswers, fc.integer({ min: 0, max: 5 }), (answers, missing) => {
        const lost = Array.from({ length: missing }, (_, index) => `lost${index}`);
        const { probability, interval, confidence, verdict } = opinionOf(answers, [
          ...answers.map(({ backend }) => backend),
          ...lost,
        ]);
        const [low, high] = interval;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(PPM_ONE);
        expect(probability).toBeGreaterThanOrEqual(low);
        expect(probability).toBeLessThanOrEqual(high);
        const chance = Math.max(probability, PPM_ONE - probability);
        expect(confidence).toBe(verdict === "unknown" ? 0 : chance);
      }),
    );
  });

  it("a surer accusation never makes it less probable, and neither does one more", () => {
    const sure = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyAnswers, sure, sure, (answers, one, other) => {
        const [less, more] = [one, other].toSorted((a, b) => a - b) as [number, number];
        const probability = (confidence: number) =>
          opinionOf([...answers, malicious("extra", confidence)]).probability;
        expect(probability(more)).toBeGreaterThanOrEqual(probability(less));
        expect(probability(less)).toBeGreaterThanOrEqual(opinionOf(answers).probability);
      }),
    );
  });

  it("an answer more that is missing never narrows the interval", () => {
    fc.assert(
      fc.property(anyAnswers, (answers) => {
        const asked = answers.map(({ backend }) => backend);
        const complete = opinionOf(answers, asked);
        const lost = opinionOf(answers, [...asked, "lost"]);
        expect(width(lost.interval)).toBeGreaterThanOrEqual(width(complete.interval));
        expect(lost.probability).toBe(complete.probability);
      }),
    );
  });
});

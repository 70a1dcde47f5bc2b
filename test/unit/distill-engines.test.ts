import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveContracts } from "../../src/config/contract-imports.ts";
import { checkedEngine } from "../../src/distill/checked.ts";
import type { DistillModule, Knowledge } from "../../src/distill/contract.ts";
import { NOTHING_LEARNED } from "../../src/distill/experience/reliability.ts";
import { loadDistillEngine } from "../../src/distill/load.ts";
import { any, majority } from "../../src/distill/votes.ts";
import { ConfigFault, describeError } from "../../src/domain/fault.ts";
import type { ScanAnswer } from "../../src/domain/scan.ts";
import { ppm } from "../../src/domain/verdict.ts";
import { anAnswer } from "../fixtures/bounties.ts";

const malicious = (backend: string, confidence = 1) => anAnswer({ backend, confidence });
const benign = (backend: string, confidence = 1) => anAnswer({ backend, verdict: "benign", confidence });
const silent = (backend: string) =>
  anAnswer({ backend, verdict: "unknown", confidence: 0, reason: "no-match" });
const knowledge: Knowledge = { silence: new Map([["eicar", ppm(0.6)]]), reliability: NOTHING_LEARNED };
const testimony = (answers: readonly ScanAnswer[]) => ({
  asked: answers.map(({ backend }) => backend),
  answers,
});

describe("the engine any", () => {
  const opinionOf = (...answers: ScanAnswer[]) => any.distill(testimony(answers), knowledge);

  it("takes one accusation for enough, however many defend", () => {
    expect(opinionOf(benign("a"), malicious("b", 0.7), benign("c"))).toMatchObject({
      verdict: "malicious",
      confidence: 700_000,
      probability: 700_000,
    });
  });

  it("is as sure of benign as the surest, counting a silence that was given a worth", () => {
    expect(opinionOf(silent("eicar"), benign("b", 0.4))).toMatchObject({
      verdict: "benign",
      confidence: 600_000,
    });
  });

  it("knows nothing when nobody votes", () => {
    expect(opinionOf(silent("yara"), anAnswer({ verdict: "suspicious" }))).toMatchObject({
      verdict: "unknown",
      confidence: 0,
      probability: 500_000,
      interval: [0, 1_000_000],
    });
  });
});

describe.each([any, majority])("the engine $name", (engine) => {
  it.each([
    ["malicious", malicious],
    ["benign", benign],
  ] as const)("makes no verdict of a backend that says %s and claims no more than even odds", (_, says) => {
    for (const sure of [0, 0.3, 0.5, 0.5000004]) {
      expect(engine.distill(testimony([says("a", sure)]), knowledge)).toMatchObject({
        verdict: "suspicious",
        confidence: 500_000,
        probability: 500_000,
      });
    }
    expect(engine.distill(testimony([says("a", 0.51)]), knowledge)).toMatchObject({
      verdict: says("a").verdict,
      confidence: 510_000,
    });
  });
});

describe("the engine majority", () => {
  const opinionOf = (...answers: ScanAnswer[]) => majority.distill(testimony(answers), knowledge);

  it("goes with the many, less surely the more disagree", () => {
    expect(opinionOf(malicious("a"), malicious("b"), malicious("c"))).toMatchObject({
      verdict: "malicious",
      confidence: 1_000_000,
    });
    expect(opinionOf(malicious("a"), malicious("b", 0.75), benign("c"))).toMatchObject({
      verdict: "malicious",
      confidence: 625_000,
    });
  });

  it("calls a tie suspicious, and knows nothing when nobody votes", () => {
    expect(opinionOf(malicious("a"), silent("eicar"))).toMatchObject({
      verdict: "suspicious",
      confidence: 500_000,
    });
    expect(opinionOf(silent("yara")).verdict).toBe("unknown");
  });

  it("has a wider interval when somebody who should have been heard was not", () => {
    const answers = [malicious("a", 0.8), malicious("b", 0.8)];
    const [low, high] = majority.distill({ asked: ["a", "b"], answers }, knowledge).interval;
    const lost = majority.distill({ asked: ["a", "b", "c"], answers }, knowledge).interval;
    expect(lost[0]).toBeLessThan(low);
    expect(lost[1]).toBeGreaterThanOrEqual(high);
  });
});

describe("a module of the operator's", () => {
  const asked = testimony([malicious("one", 0.9)]);
  const answering = (judge: () => unknown) =>
    checkedEngine({ name: "mine", judge: judge as DistillModule["judge"] }).distill(asked, knowledge);

  it("has its judgement taken over, and what it leaves out filled in", () => {
    expect(answering(() => ({ verdict: "malicious", probability: 0.75 }))).toEqual({
      verdict: "malicious",
      confidence: 750_000,
      probability: 750_000,
      interval: [0, 1_000_000],
      family: "",
      reason: "one malicious 0.9",
    });
    expect(
      answering(() => ({
        verdict: "benign",
        probability: 0.1,
        interval: [0.05, 0.2],
        family: "Adware",
        reason: "price",
      })),
    ).toMatchObject({ confidence: 900_000, interval: [50_000, 200_000], family: "Adware", reason: "price" });
  });

  it.each([
    ["nothing", undefined, /it is undefined/],
    ["null", null, /it is null/],
    ["a word", "malicious", /it is string/],
    ["a promise", Promise.resolve({ verdict: "malicious", probability: 1 }), /promise/],
    ["a verdict nobody knows", { verdict: "evil", probability: 1 }, /no verdict "evil"/],
    ["no probability", { verdict: "malicious" }, /probability/],
    ["a probability that is none", { verdict: "malicious", probability: Number.NaN }, /probability/],
    ["a certainty of percent", { verdict: "malicious", probability: 95 }, /probability/],
    ["malicious at odds against it", { verdict: "malicious", probability: 0.2 }, /not likelier than not/],
    ["benign at odds against it", { verdict: "benign", probability: 0.9 }, /likelier malicious/],
    ["an interval beside it", { verdict: "malicious", probability: 0.9, interval: [0.1, 0.2] }, /interval/],
    ["half an interval", { verdict: "malicious", probability: 0.9, interval: [0.1] }, /interval/],
    ["a family that is a number", { verdict: "malicious", probability: 0.9, family: 7 }, /texts/],
  ])("costs only the artifact when it answers %s", (_, answer, reason) => {
    const opinion = answering(() => answer);
    expect(opinion).toMatchObject({ verdict: "unknown", confidence: 0, interval: [0, 1_000_000] });
    expect(opinion.reason).toMatch(/^distillation engine mine answered no judgement: /);
    expect(opinion.reason).toMatch(reason);
  });

  it("costs only the artifact when it throws, now, later, or while it is looked at", () => {
    const thrown = answering(() => {
      throw new Error("out of ideas");
    });
    expect(thrown).toMatchObject({
      verdict: "unknown",
      reason: "distillation engine mine failed: out of ideas",
    });
    // An unhandled rejection would end this process.
    expect(answering(() => Promise.reject(new Error("later"))).verdict).toBe("unknown");
    const trap = {
      get verdict() {
        throw new Error("sprung");
      },
    };
    expect(answering(() => trap).reason).toMatch(/sprung/);
  });
});

describe("loading an engine", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "microengine-distill-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const module = async (name: string, source: string): Promise<string> => {
    await writeFile(join(folder, name), source);
    return `./${name}`;
  };
  const complaint = async (nameOrPath: string): Promise<string> => {
    const error = await loadDistillEngine(nameOrPath, folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigFault);
    return describeError(error);
  };

  it.each(["bayes", "lean", "any", "majority"])("finds %s by name", async (name) => {
    expect((await loadDistillEngine(name)).name).toBe(name);
  });

  it("lists the names when there is no such engine", async () => {
    expect(await complaint("bayse")).toMatch(/"bayse".*bayes, lean, any, majority.*path/);
  });

  it.each([
    ["other.mjs", "export const price = 1;", /exports price, but no distillEngine.*distillEngine =/],
    ["shape.mjs", "export const distillEngine = { name: 'x' };", /no name or no judge function/],
    ["throws.mjs", "throw new Error('out of ideas');", /cannot be loaded: out of ideas/],
    [
      "setup.mjs",
      "export const distillEngine = async () => { throw new Error('no model'); };",
      /failed: no model/,
    ],
  ])("explains in one line what is wrong with %s", async (name, source, sentence) => {
    const line = await complaint(await module(name, source));
    expect(line).toMatch(sentence);
    expect(line).not.toContain("\n");
  });

  it("names the file that is not there", async () => {
    expect(await complaint("./nowhere.ts")).toContain(join(folder, "nowhere.ts"));
  });

  it("loads the example of docs/distillation.md, which does what it says", async () => {
    serveContracts();
    const page = await readFile(new URL("../../docs/distillation.md", import.meta.url), "utf8");
    const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
    const engine = await loadDistillEngine(await module("example.ts", example), folder);
    const both = testimony([malicious("yara", 0.8), malicious("clamav")]);
    expect(engine.distill(both, knowledge)).toMatchObject({ verdict: "malicious", confidence: 800_000 });
    expect(engine.distill(testimony([malicious("yara")]), knowledge).verdict).toBe("unknown");
  });
});

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBidStrategy } from "../../src/bid/load.ts";
import { ConfigFault, describeError } from "../../src/domain/fault.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { ppm } from "../../src/domain/verdict.ts";
import { bidArtifact, bidRequest } from "./bid-request.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "microengine-strategy-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function module(name: string, source: string): Promise<string> {
  await writeFile(join(folder, name), source);
  return `./${name}`;
}

async function complaint(nameOrPath: string): Promise<string> {
  const error = await loadBidStrategy(nameOrPath, folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigFault);
  return describeError(error);
}

describe("loading a bid strategy", () => {
  it.each(["default", "conservative", "aggressive"])("finds %s by name", async (name) => {
    expect(await loadBidStrategy(name)).toMatchObject({ name });
  });

  it("lists the right names when there is no such strategy", async () => {
    expect(await complaint("agressive")).toMatch(/"agressive".*default, conservative, aggressive.*path/);
  });

  it("loads a strategy from a module, TypeScript too", async () => {
    const path = await module(
      "mine.ts",
      `interface R { artifacts: readonly unknown[] }
       export const bidStrategy = { name: "mine", bid: (request: R): bigint[] => request.artifacts.map(() => 7n) };`,
    );
    expect(await loadBidStrategy(path, folder)).toMatchObject({ name: "mine" });
  });

  it("calls a module that exports a function and waits for what it returns", async () => {
    const path = await module(
      "made.mjs",
      `export const bidStrategy = async () => ({ name: "made", bid: () => [] });`,
    );
    expect(await loadBidStrategy(path, folder)).toMatchObject({ name: "made" });
  });

  it("says what a module without bidStrategy exports, and what is expected", async () => {
    const path = await module("other.mjs", "export const strategy = {}; export const price = 1;");
    expect(await complaint(path)).toMatch(
      /exports price, strategy, but no bidStrategy.*export const bidStrategy =/,
    );
  });

  it.each([
    ["shape.mjs", "export const bidStrategy = { name: 'x' };", /no name or no bid function/],
    ["throws.mjs", "throw new Error('out of ideas');", /cannot be loaded: out of ideas/],
    [
      "setup.mjs",
      "export const bidStrategy = () => { throw new Error('no licence'); };",
      /failed: no licence/,
    ],
    [
      "later.mjs",
      "export const bidStrategy = async () => { throw new Error('no model'); };",
      /failed: no model/,
    ],
    ["syntax.mjs", "export const =", /cannot be loaded/],
  ])("explains in one line what is wrong with %s", async (name, source, sentence) => {
    const line = await complaint(await module(name, source));
    expect(line).toMatch(sentence);
    expect(line).not.toContain("\n");
  });

  it("loads the example of docs/writing-a-bid-strategy.md, which does what it says", async () => {
    const page = await readFile(new URL("../../docs/writing-a-bid-strategy.md", import.meta.url), "utf8");
    const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
    const strategy = await loadBidStrategy(await module("example.ts", example), folder);
    const artifacts = [0.5, 1].map((sure, index) => bidArtifact({ index, confidence: ppm(sure) }));
    const request = bidRequest({ artifacts, balance: nct(5n * ONE_NCT) });
    expect(strategy.bid(request)).toEqual([null, ONE_NCT / 2n]);
  });

  it("names the file that is not there", async () => {
    expect(await complaint("./nowhere.ts")).toContain(join(folder, "nowhere.ts"));
  });
});

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { compileFolder } from "../../src/sandbox/chain/compile.ts";
import { CONTRACT_NAMES, loadContracts } from "../../src/sandbox/chain/contracts.ts";

const ours = await loadContracts();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "contracts-"));
});
afterEach(() => rm(folder, { recursive: true }));

const put = (file: string, content: unknown): Promise<void> =>
  writeFile(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
const asSolc = (name: (typeof CONTRACT_NAMES)[number], bytecode = ours[name].bytecode) => ({
  abi: ours[name].abi,
  evm: { bytecode: { object: bytecode } },
});

describe("a folder of contracts", () => {
  it("may hold one file per contract, with or without 0x before the code", async () => {
    await put("NectarToken.json", asSolc("NectarToken", ours.NectarToken.bytecode.slice(2)));
    await put("BountyRegistry.json", asSolc("BountyRegistry"));
    await put("ArbiterStaking.json", asSolc("ArbiterStaking"));
    await put("README.txt", "not JSON");
    expect(await loadContracts(folder)).toEqual(ours);
  });

  it("may hold one whole standard JSON output", async () => {
    const named = CONTRACT_NAMES.map((name) => [`${name}.sol`, { [name]: asSolc(name), Helper: {} }]);
    await put("combined.json", { contracts: Object.fromEntries(named), sources: {} });
    expect(await loadContracts(folder)).toEqual(ours);
  });

  it("may wrap each contract in a standard JSON output of its own", async () => {
    for (const name of CONTRACT_NAMES) {
      await put(`${name}.json`, { contracts: { "x.sol": { [name]: asSolc(name) } } });
    }
    expect(await loadContracts(folder)).toEqual(ours);
  });

  it("that lacks a contract is refused by its name", async () => {
    await put("NectarToken.json", asSolc("NectarToken"));
    await expect(loadContracts(folder)).rejects.toMatchObject({
      name: "ConfigFault",
      code: "CONTRACT_MISSING",
      message: expect.stringContaining("BountyRegistry"),
    });
  });

  it.each([
    ["no ABI", { evm: { bytecode: { object: "0x00" } } }, /abi is missing/],
    ["no code", { abi: [], evm: { bytecode: {} } }, /evm\.bytecode\.object is missing/],
    ["unlinked code", { abi: [], evm: { bytecode: { object: "60__$lib$__" } } }, /evm\.bytecode\.object/],
    ["an abstract contract", { abi: [], evm: { bytecode: { object: "" } } }, /evm\.bytecode\.object/],
    ["a list", [], /no object/],
  ])("with %s is refused in one sentence that says what is wrong", async (_, content, sentence) => {
    for (const name of CONTRACT_NAMES) await put(`${name}.json`, asSolc(name));
    await put("ArbiterStaking.json", content);
    const refusal = expect.objectContaining({
      name: "ConfigFault",
      code: "CONTRACT_MALFORMED",
      message: expect.stringMatching(sentence),
    });
    await expect(loadContracts(folder)).rejects.toEqual(refusal);
  });

  it("with a contract that lacks what the market needs is refused by the function's name", async () => {
    for (const name of CONTRACT_NAMES) await put(`${name}.json`, asSolc(name));
    const abi = ours.NectarToken.abi.filter((item) => !("name" in item && item.name === "mint"));
    await put("NectarToken.json", { ...asSolc("NectarToken"), abi });
    await expect(loadContracts(folder)).rejects.toMatchObject({
      name: "ConfigFault",
      code: "CONTRACT_MISMATCH",
      message: expect.stringContaining("mint"),
    });
  });

  it("that is not there, or holds something other than JSON, is refused", async () => {
    const unreadable = { name: "ConfigFault", code: "CONTRACTS_UNREADABLE" };
    await expect(loadContracts(join(folder, "nowhere"))).rejects.toMatchObject(unreadable);
    await put("NectarToken.json", "{");
    await expect(loadContracts(folder)).rejects.toMatchObject(unreadable);
  });
});

describe("the compiler", () => {
  const TINY = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0; contract Tiny { uint256 public x; }";

  it("is not asked twice for the same sources and settings", async () => {
    const cache = join(folder, "cache");
    await put("Tiny.sol", TINY);
    const first = await compileFolder(folder, {}, cache);
    const [kept] = await readdir(cache);
    await writeFile(join(cache, kept!), JSON.stringify({ from: "cache" }));
    expect(first).toMatchObject({ contracts: { "Tiny.sol": { Tiny: { abi: [{ name: "x" }] } } } });
    expect(await compileFolder(folder, {}, cache)).toEqual({ from: "cache" });
    await put("Tiny.sol", TINY.replace("x", "y"));
    expect(await compileFolder(folder, {}, cache)).toMatchObject({
      contracts: { "Tiny.sol": { Tiny: { abi: [{ name: "y" }] } } },
    });
  });

  it("does without a cache where none can be written", async () => {
    await put("Tiny.sol", TINY);
    const blocked = join(folder, "Tiny.sol", "cache");
    expect(await compileFolder(folder, {}, blocked)).toHaveProperty("contracts");
  });

  it("says what is wrong with sources that do not compile", async () => {
    await put("Broken.sol", "pragma solidity ^0.8.0; contract {");
    await expect(compileFolder(folder, {}, join(folder, "cache"))).rejects.toMatchObject({
      code: "CONTRACTS_DO_NOT_COMPILE",
      message: expect.stringContaining("Broken.sol"),
    });
  });
});

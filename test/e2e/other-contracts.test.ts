import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { compileFolder, SOURCES } from "../../src/sandbox/chain/compile.ts";
import { CONTRACT_NAMES } from "../../src/sandbox/chain/contracts.ts";
import { temporaryFolder } from "./engine.ts";
import { microengine } from "./run-process.ts";

const Compiled = z.object({
  contracts: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({ abi: z.array(z.unknown()), evm: z.object({ bytecode: z.object({ object: z.string() }) }) }),
    ),
  ),
});

/** Optimised for size and for an older EVM: the same market in other code. */
const SETTINGS = { optimizer: { enabled: true, runs: 1 }, evmVersion: "istanbul" };

const Outcome = z.strictObject({
  bounties: z.int(),
  asserted: z.int(),
  revealed: z.int(),
  settled: z.int(),
  correct: z.int(),
  wrong: z.int(),
  silent: z.int(),
  stakedNct: z.number().positive(),
  profitNct: z.number().positive(),
  assertMsP50: z.int().positive(),
  assertMsMax: z.int().positive(),
  unfinished: z.array(z.unknown()),
});

it("the demo earns on contracts of another make, and says so in one last line of JSON", async () => {
  using folder = temporaryFolder();
  const { contracts } = Compiled.parse(await compileFolder(SOURCES, SETTINGS));
  const ours = Compiled.parse(await compileFolder());
  for (const name of CONTRACT_NAMES) {
    const contract = contracts[`${name}.sol`]![name]!;
    expect(contract.evm).not.toEqual(ours.contracts[`${name}.sol`]![name]!.evm);
    await writeFile(join(folder.path, `${name}.json`), JSON.stringify(contract));
  }

  const flags = ["--bounties", "2", "--consumers", "1", "--json", "--contracts", folder.path];
  const { code, stdout, stderr } = await microengine(["demo", ...flags]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
  const outcome = Outcome.parse(JSON.parse(stdout));
  expect(outcome).toMatchObject({ bounties: 2, asserted: 2, revealed: 2, settled: 2, correct: 2, wrong: 0 });
  expect(stderr).toMatch(/2 bounties follow/);
});

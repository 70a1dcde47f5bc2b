import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { AbiFragment } from "web3";
import { z } from "zod";

import { ConfigFault, Fault } from "../../domain/fault.ts";
import { readTextFile } from "../../files/text-file.ts";
import { compileFolder } from "./compile.ts";

export const CONTRACT_NAMES = ["NectarToken", "BountyRegistry", "ArbiterStaking"] as const;
export type ContractName = (typeof CONTRACT_NAMES)[number];

/** What is needed to deploy a contract and talk to it. */
interface CompiledContract {
  readonly abi: readonly AbiFragment[];
  /** Creation code as `0x` hex, without constructor arguments. */
  readonly bytecode: string;
}

export type CompiledContracts = Readonly<Record<ContractName, CompiledContract>>;

/** What the sandbox calls to set the market up and to play on it; more is welcome. */
const NEEDED: Readonly<Record<ContractName, readonly string[]>> = {
  NectarToken: ["approve", "balanceOf", "enableTransfers", "mint"],
  BountyRegistry: [
    ...["addArbiter", "addArbiterManager", "isArbiterManager", "arbiterVoteWindow", "assertionRevealWindow"],
    ...["postBounty", "postAssertion", "revealAssertion", "voteOnBounty", "settleBounty"],
    ...["bountiesByGuid", "bloomByGuid", "BOUNTY_AMOUNT_MINIMUM"],
    ...["ASSERTION_BID_ARTIFACT_MINIMUM", "ASSERTION_BID_ARTIFACT_MAXIMUM"],
  ],
  ArbiterStaking: ["deposit", "setBountyRegistry", "MINIMUM_STAKE"],
};

/** One contract as solc prints it; the creation code with or without `0x`. */
const SolcContract = z
  .object({
    abi: z.array(z.looseObject({ type: z.string() })),
    evm: z.object({ bytecode: z.object({ object: z.string().regex(/^(0x)?([0-9a-fA-F]{2})+$/) }) }),
  })
  .transform(({ abi, evm }): CompiledContract => {
    const code = evm.bytecode.object;
    return { abi: abi as unknown as AbiFragment[], bytecode: code.startsWith("0x") ? code : `0x${code}` };
  });

/** `solc --standard-json`: contracts by file, then by name. */
const SolcOutput = z.object({ contracts: z.record(z.string(), z.record(z.string(), z.unknown())) });

/**
 * The marketplace's contracts: those of this package, or those found in a folder of JSON files, each either one contract
 * as solc prints it (`BountyRegistry.json`) or a whole standard JSON output.
 *
 * Throws a ConfigFault when the folder lacks one of the three or holds it in another form.
 */
export async function loadContracts(folder?: string): Promise<CompiledContracts> {
  const found = folder === undefined ? namedContracts(await compileFolder()) : await readFolder(folder);
  const pick = (name: ContractName): CompiledContract => readContract(name, found.get(name), folder);
  return {
    NectarToken: pick("NectarToken"),
    BountyRegistry: pick("BountyRegistry"),
    ArbiterStaking: pick("ArbiterStaking"),
  };
}

/** Contract name to whatever the folder says of it. A file named after the contract wins over a collection. */
async function readFolder(folder: string): Promise<Map<string, unknown>> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new ConfigFault("CONTRACTS_UNREADABLE", `Cannot read the contracts folder ${folder}.`, { cause });
  });
  const collected = new Map<string, unknown>();
  const named = new Map<string, unknown>();
  for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
    const content = await readJson(join(folder, file));
    for (const [name, contract] of namedContracts(content)) collected.set(name, contract);
    const stem = file.slice(0, -".json".length);
    if (isContractName(stem) && !SolcOutput.safeParse(content).success) named.set(stem, content);
  }
  return new Map([...collected, ...named]);
}

/** A whole standard JSON output of many contracts fits. */
const MAX_SOLC_BYTES = 64 * 1024 * 1024;

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readTextFile(path, MAX_SOLC_BYTES));
  } catch (cause) {
    throw new ConfigFault("CONTRACTS_UNREADABLE", `${path} is not readable JSON.`, { cause });
  }
}

/** Empty unless the content is a standard JSON output. */
function namedContracts(content: unknown): Map<string, unknown> {
  const output = SolcOutput.safeParse(content);
  if (!output.success) return new Map();
  return new Map(Object.values(output.data.contracts).flatMap((file) => Object.entries(file)));
}

function readContract(name: ContractName, content: unknown, folder: string | undefined): CompiledContract {
  const contract = SolcContract.safeParse(content);
  if (contract.success) return withNeeded(name, contract.data, folder);
  if (folder === undefined) throw new Fault("CONTRACTS_DO_NOT_COMPILE", `The compiler left out ${name}.`);
  if (content === undefined) {
    throw new ConfigFault("CONTRACT_MISSING", `The contracts folder ${folder} holds no ${name}.`, {
      hint: `Put solc's JSON (\`abi\`, \`evm.bytecode.object\`) there as ${name}.json.`,
    });
  }
  const where = contract.error.issues[0]?.path.join(".") ?? "";
  throw new ConfigFault(
    "CONTRACT_MALFORMED",
    `${name} in ${folder} is not a contract as solc prints it: ${where === "" ? "no object" : `${where} is missing or wrong`}.`,
    { hint: "It needs `abi` and `evm.bytecode.object`, linked, as hex." },
  );
}

function withNeeded(name: ContractName, contract: CompiledContract, folder = "contracts"): CompiledContract {
  const functions = new Set(contract.abi.flatMap((item) => ("name" in item ? [item.name] : [])));
  const lacking = NEEDED[name].filter((needed) => !functions.has(needed));
  if (lacking.length === 0) return contract;
  throw new ConfigFault("CONTRACT_MISMATCH", `${name} in ${folder} has no function ${lacking.join(", ")}.`, {
    hint: "The sandbox runs contracts with the ABI of BountyRegistry 1.6 and ArbiterStaking 1.2.",
  });
}

const isContractName = (name: string): name is ContractName =>
  (CONTRACT_NAMES as readonly string[]).includes(name);

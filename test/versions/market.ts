import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Address } from "../../src/domain/address.ts";
import { packBits } from "../../src/domain/bits.ts";
import { type Guid, guidToUint } from "../../src/domain/guid.ts";
import { parseJson } from "../../src/json/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EICAR, openMarket } from "../e2e/market.ts";

/** A bounty on the chain of a fixture; its artifacts follow from its name. */
export interface WrittenBounty {
  readonly guid: Guid;
  readonly name: string;
  /** Per artifact, `true` is malicious. */
  readonly truth: readonly boolean[];
}

/** What stands beside the ledger and the chain. */
export interface Manifest {
  /** Of the keystore. */
  readonly account: Address;
  readonly contracts: Readonly<Record<string, Address>>;
  readonly bounties: readonly WrittenBounty[];
  /** Of the bounties in the ledger, by name. */
  readonly states: Readonly<Record<string, string>>;
  /** As the version that wrote them read them: of the ledger, and of `calibrate --json`. */
  readonly summary: unknown;
  readonly calibration: unknown;
}

/** Of the chain in the fixtures, in blocks. */
export const WINDOWS = { durationBlocks: 100, revealWindow: 150, voteWindow: 150 } as const;

const fileOf = (version: string, name: string): string =>
  fileURLToPath(new URL(`../fixtures/${version}/${name}`, import.meta.url));

export const readManifest = (version: string): Manifest =>
  parseJson(readFileSync(fileOf(version, "manifest.json"), "utf8")) as Manifest;

/** The data directory and the wallet of a producer of that version, in `folder`. */
export function copyProducer(version: string, folder: string): void {
  for (const room of ["data", "wallet"]) mkdirSync(join(folder, room), { mode: 0o700 });
  copyFileSync(fileOf(version, "ledger.sqlite"), join(folder, "data", "ledger.sqlite"));
  for (const name of ["keyfile", "password"])
    copyFileSync(fileOf(version, name), join(folder, "wallet", name));
}

/**
 * A sandbox in whose place stands the chain of a fixture, with the wallet in `folder`. It mines no blocks by itself before it is
 * told to, its arbiters know of no truth, and nobody but them plays on it.
 */
export async function openWrittenMarket(version: string, folder: string): Promise<Sandbox> {
  const sandbox = await openMarket(folder, { ...WINDOWS, rivals: 0 });
  const { chain, store } = sandbox;
  await chain.rpc("evm_setIntervalMining", [0]);
  const { contracts, bounties } = readManifest(version);
  for (const [name, { address }] of Object.entries(chain.contracts)) {
    // Addresses follow from the deployer's account and how often it sent something.
    if (address !== contracts[name]) throw new Error(`${name} is at ${address}, not at ${contracts[name]}`);
  }
  const state = readFileSync(fileOf(version, "chain.json.gz")).toString("hex");
  await chain.rpc("anvil_loadState", [`0x${state}`]);
  for (const bounty of bounties) store.putDirectory(contentsOf(bounty));
  return sandbox;
}

/** The artifacts of a bounty; one called "large" has more bytes than the rest. */
export const contentsOf = ({ name, truth }: Pick<WrittenBounty, "name" | "truth">): readonly Buffer[] =>
  truth.map((malicious, index) =>
    Buffer.concat([
      malicious ? EICAR : Buffer.from("nothing"),
      Buffer.from(`\n${name} ${index}`),
      Buffer.alloc(name === "large" ? 8_192 : 0, "\n"),
    ]),
  );

/** Mines until the reveal window of each bounty is over, the earliest first, and has all arbiters vote the truth on it. */
export async function voteOnEach({ chain }: Sandbox, bounties: readonly WrittenBounty[]): Promise<void> {
  const { registry } = chain.contracts;
  const expirationOf = async ({ guid }: WrittenBounty): Promise<number> => {
    const answer = await chain.call(registry, "bountiesByGuid", [guidToUint(guid)]);
    return Number(z.bigint().parse(answer[6]));
  };
  const ends = await Promise.all(
    bounties.map(async (bounty) => ({
      bounty,
      end: (await expirationOf(bounty)) + WINDOWS.revealWindow,
    })),
  );
  for (const { bounty, end } of ends.toSorted((a, b) => a.end - b.end)) {
    const missing = end - (await chain.head());
    if (missing > 0) await chain.rpc("anvil_mine", [`0x${missing.toString(16)}`]);
    const args = [guidToUint(bounty.guid), packBits(bounty.truth), true];
    await Promise.all(
      chain.accounts.arbiters.map((arbiter) => chain.send(arbiter, registry, "voteOnBounty", args)),
    );
  }
}

import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Address } from "../../src/domain/address.ts";
import { packBits } from "../../src/domain/bits.ts";
import { guidToUint } from "../../src/domain/guid.ts";
import type { Chain, DecodedLog } from "../../src/sandbox/chain/chain.ts";
import { compileFolder, SOURCES } from "../../src/sandbox/chain/compile.ts";
import { CONTRACT_NAMES } from "../../src/sandbox/chain/contracts.ts";
import { type Specimen, urlSpecimen } from "../../src/sandbox/samples/corpus.ts";
import { postArgs } from "../fixtures/contracts/market.ts";
import { openStreet, type Street } from "../fixtures/contracts/street.ts";

const specimen = (name: string, malicious: boolean, content: string): Specimen => ({
  kind: "file",
  malicious,
  name,
  read: async () => Buffer.from(content),
});
const CORPUS = [specimen("bad.exe", true, "MZ bad"), specimen("good.txt", false, "all is well\n")];

const events = async (chain: Chain, event: string): Promise<DecodedLog[]> =>
  (await chain.logs(0, await chain.head())).filter((log) => log.event === event);
const balance = async ({ call, contracts }: Chain, account: string): Promise<unknown> =>
  (await call(contracts.token, "balanceOf", [account]))[0];
const registryEmpty = async (chain: Chain) => (await balance(chain, chain.contracts.registry.address)) === 0n;
const refusedTransactions = async (chain: Chain): Promise<number> => {
  const blocks = Array.from({ length: await chain.head() }, (_, index) => `0x${(index + 1).toString(16)}`);
  const receipts = await Promise.all(blocks.map((block) => chain.rpc("eth_getBlockReceipts", [block])));
  return (receipts.flat() as { status: string }[]).filter(({ status }) => status !== "0x1").length;
};
/** Nothing is escrowed any more: everybody has revealed, voted and settled. */
const finished = async ({ ambassador, chain }: Street) => ambassador.done() && (await registryEmpty(chain));

/** Every bounty posted, judged and paid to the last unit: right rivals gain, wrong ones lose. */
async function expectHonestMarket(street: Street): Promise<void> {
  const { chain, ambassador } = street;
  const planned = ambassador.planned();
  const votes = await events(chain, "NewVote");
  expect(planned).toHaveLength(3);
  for (const { guid, truth } of planned) {
    const cast = votes
      .filter(({ args }) => args.bountyGuid === guidToUint(guid))
      .map(({ args }) => args.votes);
    expect(cast).toEqual([packBits(truth), packBits(truth), packBits(truth)]);
    const [, , validBloom] = await chain.call(chain.contracts.registry, "votesByGuid", [
      guidToUint(guid),
      0n,
    ]);
    expect(validBloom).toBe(true);
  }
  expect(await events(chain, "RevealedAssertion")).toHaveLength(6);
  expect(await refusedTransactions(chain)).toBe(0);
  const [right, wrong] = chain.accounts.rivals as readonly [Address, Address];
  const reservations = 1_000_000n * 10n ** 18n;
  const fees = 3n * 31250000000000000n;
  // Two artifacts of 2 NCT each in three bounties, and the other's two stakes of 1 NCT.
  expect(await balance(chain, right)).toBe(reservations - fees + 18n * 10n ** 18n);
  expect(await balance(chain, wrong)).toBe(reservations - fees - 6n * 10n ** 18n);
}

describe("the sandbox's players", () => {
  it("carry bounties from post to settlement, and money goes to whoever was right", async () => {
    await using street = await openStreet({ corpus: CORPUS });
    await street.walk(() => finished(street));
    await expectHonestMarket(street);
  });

  it("lose nothing when they hear of few blocks only", async () => {
    await using street = await openStreet({ corpus: CORPUS });
    await street.walk(() => finished(street), 12);
    await expectHonestMarket(street);
  });

  it("describe files the way every version of the metadata schema accepts", async () => {
    await using street = await openStreet({
      corpus: [specimen("empty", false, ""), specimen("note.txt", false, "hello\n")],
      bounties: 1,
      artifactsPerBounty: 12,
    });
    await street.walk(async () => (await events(street.chain, "NewBounty")).length === 1);
    const [bounty] = await events(street.chain, "NewBounty");
    const metadata = JSON.parse(Buffer.from(street.store.get(String(bounty?.args.metadata), 0)!).toString());
    const hash = (algorithm: string) => createHash(algorithm).update("hello\n").digest("hex");
    expect(metadata).toHaveLength(12);
    expect(metadata).toContainEqual({
      filename: "note.txt",
      filesize: "6",
      mimetype: "text/plain",
      sha256: hash("sha256"),
      sha1: hash("sha1"),
      md5: hash("md5"),
    });
    expect(metadata).toContainEqual(expect.objectContaining({ filename: "empty", mimetype: "" }));
    expect(metadata.filter((claim: object) => "filesize" in claim && claim.filesize === "0")).toEqual([]);
    expect(street.store.list(String(bounty?.args.artifactURI))).toHaveLength(12);
  });

  it("post URLs as bounties of their own type", async () => {
    const url = "https://phish.example/login";
    await using street = await openStreet({ corpus: [urlSpecimen(url, "malicious")], bounties: 1 });
    await street.walk(async () => (await events(street.chain, "NewBounty")).length === 1);
    const [bounty] = await events(street.chain, "NewBounty");
    expect(bounty?.args.artifactType).toBe(1n);
    expect(Buffer.from(street.store.get(String(bounty?.args.artifactURI), 1)!).toString()).toBe(url);
    const metadata = JSON.parse(Buffer.from(street.store.get(String(bounty?.args.metadata), 0)!).toString());
    expect(metadata).toEqual(Array(2).fill({ protocol: "https", uri: url }));
  });

  it("post the same bounties for the same seed, and others for another seed or in another run", async () => {
    const plan = async (options: { seed: number; run?: string }) => {
      await using street = await openStreet({ corpus: CORPUS, ...options });
      await street.walk(() => street.ambassador.planned().length === 3);
      return street.ambassador.planned().map(({ guid, names }) => ({ guid, names }));
    };
    const first = await plan({ seed: 1 });
    expect(await plan({ seed: 1 })).toEqual(first);
    expect(await plan({ seed: 2 })).not.toEqual(first);
    const rerun = await plan({ seed: 1, run: "second" });
    expect(rerun.map(({ names }) => names)).toEqual(first.map(({ names }) => names));
    for (const [index, { guid }] of first.entries()) {
      expect(guid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
      expect(rerun[index]?.guid).not.toBe(guid);
    }
  });

  it("keep out of bounties whose truth they do not know", async () => {
    await using street = await openStreet({ corpus: CORPUS, bounties: 0 });
    const { chain } = street;
    const stranger = chain.accounts.deployer;
    const { token, registry } = chain.contracts;
    await chain.fund(stranger, (10n ** 20n) as never);
    await chain.send(stranger, token, "approve", [registry.address, 10n ** 20n]);
    const { block } = await chain.send(stranger, registry, "postBounty", postArgs(9n, { duration: 5 }));
    await street.walk(async () => (await chain.head()) > block + 80);
    expect([...(await events(chain, "NewAssertion")), ...(await events(chain, "NewVote"))]).toEqual([]);
  });
});

describe("contracts other than ours", () => {
  it("that meet the same ABI carry the same market", async () => {
    const folder = await mkdtemp(join(tmpdir(), "market-"));
    try {
      // Too large for a real chain, and with the deployer appointed to start with.
      await cp(SOURCES, folder, { recursive: true });
      const roles = await readFile(join(folder, "RegistryRoles.sol"), "utf8");
      const appointed = roles.replace(
        "_addDeprecator(msg.sender);",
        "$& isArbiterManager[msg.sender] = true;",
      );
      expect(appointed).not.toBe(roles);
      await writeFile(join(folder, "RegistryRoles.sol"), appointed);
      const settings = { optimizer: { enabled: false }, evmVersion: "shanghai" };
      const { contracts } = (await compileFolder(folder, settings)) as {
        contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
      };
      for (const name of CONTRACT_NAMES) {
        await writeFile(join(folder, `${name}.json`), JSON.stringify(contracts[`${name}.sol`]![name]));
      }
      const code = contracts["BountyRegistry.sol"]!.BountyRegistry!.evm.bytecode.object;
      expect(code.length / 2).toBeGreaterThan(24_576);
      await using street = await openStreet({ corpus: CORPUS }, { contractsDir: folder });
      await street.walk(() => finished(street));
      await expectHonestMarket(street);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { type Nct, nct, ONE_NCT } from "../../src/domain/nct.ts";
import { joinPolyswarmd } from "../../src/market/onchain/gateway/client.ts";
import { expirationOf } from "../../src/market/onchain/port/details.ts";
import type { ContractEvents, Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import { createLogger } from "../../src/observe/log.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openSigner, type Wallet } from "../../src/wallet/signer.ts";
import type { SignedTransaction } from "../../src/wallet/transaction.ts";
import { describeMarketplace } from "../contract/marketplace.ts";
import { aPlan } from "../fixtures/bounties.ts";
import { paced } from "../fixtures/busy-machine.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });
const contents = ["one that is malicious", "one that is not", ""].map((text) => Buffer.from(text));
const truth = [true, false, false];

let sandbox: Sandbox;
let wallet: Wallet;
let market: Marketplace;

beforeAll(async () => {
  wallet = openSigner(createHash("sha256").update("market client against the sandbox").digest());
  sandbox = await startSandbox({
    blockTimeMs: paced(200),
    durationBlocks: 15,
    // Wider than a busy machine needs; what is left of them is mined.
    revealWindow: 60,
    voteWindow: 60,
    arbiters: 3,
    rivals: 1,
    rivalAccuracy: 1,
    rivalStakeNct: nct(ONE_NCT / 8n),
    artifactsPerBounty: 1,
    rewardNct: nct(2n * ONE_NCT),
    bountyIntervalMs: 1_000,
    opens: "when-told" as const,
    seed: 7,
    fund: [wallet.address],
    basePath: "/v1/default",
    logger: log,
  });
  market = joinPolyswarmd({
    addr: `${sandbox.url}/`,
    chain: "side",
    signer: wallet,
    log,
    clock: systemClock,
    random: Math.random,
    timings: { receiptPollMs: 50 },
  });
  await market.start(AbortSignal.timeout(240_000));
});

afterAll(async () => {
  await market?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

/** Resolves with the first event that fits. */
function heard<Name extends keyof ContractEvents>(
  name: Name,
  fits: (...args: ContractEvents[Name]) => boolean = () => true,
): Promise<ContractEvents[Name]> {
  return new Promise((resolve) => {
    market.on(name, (...args) => {
      if (fits(...args)) resolve(args);
    });
  });
}

const reached = (block: number) =>
  market.head() >= block ? Promise.resolve() : heard("block", ({ number }) => number >= block);

const nonceFor = (guid: Guid): bigint =>
  wallet.commitmentNonce({
    chainName: "side",
    chainId: BigInt(sandbox.chain.chainId),
    registry: sandbox.chain.contracts.registry.address,
    guid,
  });

/** Ready to be sent: the truth about artifacts 0 and 1, and nothing about 2. */
function answerTo(guid: Guid, nonce = nonceFor(guid)) {
  const { assertionFee: fee, bidMinimum } = market.parameters();
  const bids = [nct(bidMinimum * 2n), bidMinimum];
  const request = {
    guid,
    bids,
    mask: 0b011n,
    artifactCount: 3,
    fee,
    commitment: commitment(wallet.address, 0b001n, nonce),
  };
  return { nonce, request, staked: bids.reduce<bigint>((sum, bid) => sum + bid, fee) };
}

/** The blocks between are mined where they are in the way. */
const posted = (duration = 80) =>
  sandbox.postBounty({ contents, truth, duration, reward: nct(9n * ONE_NCT) });

describe("the market client against the sandbox", () => {
  it("sees a bounty, asserts, reveals and settles it, and is paid", async () => {
    const notice = heard("bounty");
    const guid = await posted();
    expect((await notice)[0]).toMatchObject({ guid, kind: "file", amount: 9n * ONE_NCT });
    const bounty = await market.bounty(guid);
    expect(bounty).toMatchObject({ guid, market: "side", artifactCount: 3, kind: "file" });
    const { uri } = bounty!;
    const expiration = expirationOf(bounty!);
    expect(await market.listArtifacts(uri)).toHaveLength(3);
    expect(Buffer.from(await market.artifactHead(uri, 0, 7)).toString()).toBe("one tha");
    expect(Buffer.from(await market.artifactHead(uri, 1, 4_096))).toEqual(contents[1]);
    expect(await market.artifactHead(uri, 2, 4_096)).toHaveLength(0);

    const before = await market.balance();
    const { nonce, request, staked } = answerTo(guid);
    const journal: string[][] = [];
    const left: string[] = [];
    const asserted = await market.assert(
      request,
      (signed) => void journal.push(signed.map(({ hash }) => hash)),
      {
        onRequest: () => left.push("request"),
      },
    );
    expect(asserted).toMatchObject({ kind: "done" });
    const index = asserted.kind === "done" ? asserted.value.index : -1;
    expect(journal).toEqual([[expect.stringMatching(/^0x[0-9a-f]{64}$/), expect.stringMatching(/^0x/)]]);
    expect(left).toEqual(["request"]);
    expect(before - (await market.balance())).toBe(staked);
    expect(await market.lookUp(journal[0]!)).toMatchObject({ kind: "done" });
    const ours = (await market.assertions(guid)).find(({ author }) => author === wallet.address);
    expect(ours).toMatchObject({ index, revealed: false, mask: 3n, bids: request.bids });

    const again = await market.assert(request, () => undefined);
    expect(again).toEqual(asserted);

    const metadata = await market.publishMetadata(
      ["Test", "", ""].map((malware_family) => ({ malware_family })),
    );
    await sandbox.chain.rpc("anvil_mine", [`0x${(expiration - market.head()).toString(16)}`]);
    await reached(expiration);
    const reveal = { guid, index, nonce, verdicts: 1n, artifactCount: 3, metadata };
    expect(await market.reveal(reveal, () => undefined)).toEqual({ kind: "done", value: undefined });
    expect(await market.reveal(reveal, () => undefined)).toEqual({ kind: "done", value: undefined });

    const quorum = heard("quorum", (it) => it.guid === guid);
    expect(await market.quorumReached(guid)).toBe(false);
    await sandbox.chain.rpc("anvil_mine", [`0x${market.parameters().revealWindow.toString(16)}`]);
    await quorum;
    expect(await market.quorumReached(guid)).toBe(true);
    expect(await market.votes(guid)).not.toHaveLength(0);
    const settled = await market.settle(guid, () => undefined);
    expect(settled).toMatchObject({ kind: "done" });
    const payout = settled.kind === "done" ? settled.value.payout : 0n;
    expect(payout).toBeGreaterThan(staked);
    expect(await market.balance()).toBe((before - staked + payout) as Nct);
    expect(await market.settle(guid, () => undefined)).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("already settled"),
    });
  });

  it("asserts on many bounties at once without mixing up their allowances", async () => {
    const guids: Guid[] = [];
    for (let i = 0; i < 8; i++) guids.push(await posted());
    const outcomes = await Promise.all(
      guids.map((guid) => market.assert(answerTo(guid).request, () => undefined)),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(guids.map(() => "done"));
  });

  it("is told why the chain refuses an assertion", async () => {
    const guid = await posted();
    const { request } = answerTo(guid);
    const bids = request.bids.map(() => nct(1n));
    expect(await market.assert({ ...request, bids }, () => undefined)).toMatchObject({
      kind: "failed",
      retryable: false,
      reason: expect.stringContaining("Bid not between min & max"),
    });
  });

  it("learns chain and registry from the gateway alone", async () => {
    const { chainId, contracts } = sandbox.chain;
    const { address } = contracts.registry;
    expect(await market.contracts()).toEqual({ chainId: BigInt(chainId), registry: address });
  });

  it("lists every bounty by pages, the oldest first", async () => {
    const guids = [await posted(), await posted()];
    const page = await market.bountyPage(0);
    expect(page.slice(-2)).toEqual(guids);
    expect(page.length).toBeLessThan(market.bountiesPerPage);
    expect(await market.bountyPage(1)).toEqual([]);
  });

  it("knows nothing of a bounty that nobody posted", async () => {
    const guid = "00000000-0000-0000-0000-00000000abcd" as Guid;
    expect(await market.bounty(guid)).toBeNull();
    expect(await market.assertions(guid)).toEqual([]);
    expect(await market.quorumReached(guid)).toBe(false);
  });
});

describeMarketplace("the real client before a real chain", async () => ({
  market,
  post: () =>
    sandbox.postBounty({
      contents: contents.slice(0, 2),
      truth: truth.slice(0, 2),
      duration: 80,
      reward: nct(9n * ONE_NCT),
    }),
  answerTo(guid) {
    const { bids, mask, verdicts } = aPlan();
    const [nonce, artifactCount] = [nonceFor(guid), 2];
    const { assertionFee: fee } = market.parameters();
    const committed = commitment(wallet.address, verdicts, nonce);
    return {
      request: { guid, bids, mask, artifactCount, fee, commitment: committed },
      reveal: (index) => ({ guid, index, nonce, verdicts, artifactCount, metadata: "QmMetadata" }),
    };
  },
  async skipTo(guid, round) {
    const expiration = expirationOf((await market.bounty(guid))!);
    const target = round === "reveal" ? expiration : expiration + market.parameters().revealWindow;
    const missing = target - market.head();
    if (missing > 0) await sandbox.chain.rpc("anvil_mine", [`0x${missing.toString(16)}`]);
    await reached(target);
    if (round === "settle") await expect.poll(() => market.quorumReached(guid)).toBe(true);
  },
  during: (work) => work,
  async useNonces() {
    expect(await market.assert(answerTo(await posted()).request, () => undefined)).toMatchObject({
      kind: "done",
    });
  },
  async [Symbol.asyncDispose]() {},
}));

describe("handing over again to a real chain", () => {
  /** Signs an assertion and crashes before anything is posted. */
  async function signAndCrash(guid: Guid): Promise<readonly SignedTransaction[]> {
    let signed: readonly SignedTransaction[] = [];
    const crashing = market.assert(answerTo(guid).request, (transactions) => {
      signed = transactions;
      throw new Error("crash");
    });
    await expect(crashing).rejects.toThrow("crash");
    return signed;
  }

  const ours = async (guid: Guid) =>
    (await market.assertions(guid)).filter(({ author }) => author === wallet.address);
  const hashesOf = (signed: readonly SignedTransaction[]) => signed.slice(-1).map(({ hash }) => hash);

  it("sends the assertion alone when the crash came after the approval was mined", async () => {
    const guid = await posted();
    const signed = await signAndCrash(guid);
    expect(await market.resend(signed.slice(0, 1))).toEqual({ kind: "sent" });
    expect(await market.lookUp(signed.slice(0, 1).map(({ hash }) => hash))).toMatchObject({ kind: "done" });
    expect(await market.resend(signed)).toEqual({ kind: "sent" });
    expect(await market.lookUp(hashesOf(signed))).toMatchObject({ kind: "done" });
  });

  it("sends what an earlier run signed, in the order of its nonces, before they go to what is signed next", async () => {
    const [earlier, next] = [await posted(), await posted()];
    const [approval, assertion] = await signAndCrash(earlier);
    const asked: bigint[] = [];
    const resent = await market.resendAll((nonce) => {
      asked.push(nonce);
      return [[assertion!], [approval!]];
    });
    expect({ resent, asked }).toEqual({ resent: 2, asked: [approval!.nonce] });
    expect(await market.assert(answerTo(next).request, () => undefined)).toMatchObject({ kind: "done" });
    for (const guid of [earlier, next]) expect(await ours(guid)).toHaveLength(1);
  });
});

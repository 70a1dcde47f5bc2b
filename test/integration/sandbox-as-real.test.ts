import { createHash } from "node:crypto";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { joinPolyswarmd } from "../../src/market/onchain/gateway/client.ts";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { createLogger } from "../../src/observe/log.ts";
import { listArtifacts } from "../../src/producer/answering/intake.ts";
import { cidOf } from "../../src/sandbox/content/cid.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });
const never = new AbortController().signal;
const HABITS = { missingMs: 30, receiptMs: [300, 400], chunkBytes: 1_000, maxArtifactBytes: 5_000 } as const;

let sandbox: Sandbox;
let market: Marketplace;

beforeAll(async () => {
  const wallet = openSigner(createHash("sha256").update("as the real gateway").digest());
  sandbox = await startSandbox({
    blockTimeMs: paced(200),
    durationBlocks: 15,
    revealWindow: 10,
    voteWindow: 15,
    arbiters: 1,
    rivals: 0,
    rivalAccuracy: 1,
    rivalStakeNct: nct(ONE_NCT / 8n),
    artifactsPerBounty: 1,
    rewardNct: nct(2n * ONE_NCT),
    bountyIntervalMs: 1_000,
    opens: "when-told" as const,
    seed: 7,
    fund: [wallet.address],
    logger: log,
    asReal: HABITS,
  });
  market = joinPolyswarmd({
    addr: sandbox.url,
    chain: "side" as const,
    signer: wallet,
    log,
    clock: systemClock,
    random: Math.random,
    timings: { http: { attempts: 2, backoffMs: 1 } },
  });
  await market.start(AbortSignal.timeout(240_000));
});

afterAll(async () => {
  await market?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

async function get(path: string) {
  const { statusCode, body } = await request(`${sandbox.url}${path}`);
  return { status: statusCode, text: await body.text() };
}

/** What a consumer of this sandbox gets. */
async function fetched(uri: string) {
  await using source = openArtifactSource(
    { polyswarmdAddr: sandbox.url, allowKeyOverHttp: false },
    { clock: systemClock, random: () => 1, silenceMs: 60_000, pauseMs: 5, maxPauseMs: 20, missingMs: 100 },
  );
  return await source.fetch(
    {
      artifact: { kind: "content", address: uri, index: 0 },
      maxSizeBytes: 34_603_008,
      deadline: Date.now() + 240_000,
    },
    never,
  );
}

/** The market as an engine has it. */
let seen: ReturnType<typeof onchainMarket>;
beforeAll(() => {
  seen = onchainMarket(market, {
    ledger: openLedger(":memory:", systemClock),
    clock: systemClock,
    tell: () => {},
  });
});

describe("a sandbox that is as the real gateway", () => {
  it("says 500 of an artifact that it does not have, and the producer waits for it where no consumer does", async () => {
    const missing = cidOf(Buffer.from("nobody has this"));
    const answer = { status: "FAIL", errors: "Timeout running ls" };
    for (const path of [`/artifacts/${missing}`, `/artifacts/${missing}/0`])
      expect(await get(path)).toMatchObject({ status: 500, text: JSON.stringify(answer) });
    expect(await listArtifacts(seen, { uri: missing }, never)).toBe("nowhere");
    expect(await fetched(missing)).toMatchObject({
      kind: "download-failed",
      detail: expect.stringContaining("500 (Timeout running ls)"),
    });
  });

  it("lists one large object as nameless chunks, which the producer knows for what they are", async () => {
    const uri = sandbox.store.putJson({ large: "x".repeat(2_500) });
    expect(await market.listArtifacts(uri)).toHaveLength(3);
    expect((await get(`/artifacts/${uri}/0`)).text).toHaveLength(1_000);
    expect(await listArtifacts(seen, { uri: uri }, never)).toBe("chunks");
    const small = sandbox.store.putJson({ small: "x" });
    expect(await listArtifacts(seen, { uri: small }, never)).toBe(1);
    const directory = sandbox.store.putDirectory([Buffer.alloc(1_000), Buffer.alloc(2_000)]);
    expect(await listArtifacts(seen, { uri: directory }, never)).toBe(2);
  });

  it("hands out no artifact that is too large for the caller's key, and the consumer says so", async () => {
    const uri = sandbox.store.putDirectory([Buffer.alloc(6_000)]);
    expect(await fetched(uri)).toEqual({
      kind: "too-large",
      detail: "The gateway does not hand it out to this API key, for which it is too large (HTTP 400).",
    });
  });

  it("fails for ever at a bounty whose URI is no base58, with no word", async () => {
    const reward = nct(2n * ONE_NCT);
    const guid = await sandbox.postBounty({
      contents: [],
      truth: [true],
      artifactCount: 1,
      duration: 15,
      reward,
      uri: "no.base58",
    });
    const path = `/bounties/${guid}?account=${market.account}&chain=side`;
    expect(await get(path)).toMatchObject({ status: 500, text: '{"message":""}' });
  });

  it("is late with the receipt of what was mined long ago", async () => {
    const { chain } = sandbox;
    const [posted] = (await chain.logs(0, await chain.head())).filter(({ event }) => event === "NewBounty");
    const from = performance.now();
    const { statusCode } = await request(`${sandbox.url}/transactions?account=${market.account}&chain=side`, {
      method: "GET",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ transactions: [posted?.transactionHash] }),
    });
    expect(statusCode).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(HABITS.receiptMs[0] - 5);
  });
});

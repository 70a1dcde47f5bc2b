import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Address, sameAddress } from "../../src/domain/address.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { createLogger } from "../../src/observe/log.ts";
import { type Chain, startChain } from "../../src/sandbox/chain/chain.ts";
import { bloomOf } from "../../src/sandbox/content/bloom.ts";
import { commit } from "../../src/sandbox/content/commitment.ts";
import { type ArtifactStore, memoryStore } from "../../src/sandbox/content/store.ts";
import { type SandboxGateway, startGateway } from "../../src/sandbox/gateway/server.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { ask, listen, type Player, playerAt } from "../fixtures/sandbox-gateway-client.ts";

/** The accounts that anvil makes of its published test mnemonic: ambassador, first arbiter. */
const AMBASSADOR_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const ARBITER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

const DURATION = 20;

/** `postAssertion` with two bids on artifacts 0 and 2, as the protocol publishes its encoding. */
const PUBLISHED_POST_ASSERTION = [
  "ea11731e",
  "000000000000000000000000000000003c6f0a529d414b7e8f102a5b6c7d8e9f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0000000000000000000000000000000000000000000000000000000000000005",
  "5c8b41287339b8ddca5448c721c5816bb949dd42584d5726d93245f2b6a6b7de",
  "0000000000000000000000000000000000000000000000000000000000000002",
  "0000000000000000000000000000000000000000000000000de0b6b3a7640000",
  "000000000000000000000000000000000000000000000000075f610f70ed2000",
].join("");
const log = createLogger({ level: "silent", format: "json", name: "test" });

let chain: Chain;
let store: ArtifactStore;
let gateway: SandboxGateway;
let ambassador: Player;
let arbiter: Player;

beforeAll(async () => {
  chain = await startChain({
    blockTimeMs: paced(100),
    revealWindow: 20,
    voteWindow: 40,
    arbiters: 1,
    rivals: 0,
    log,
  });
  store = memoryStore();
  gateway = await startGateway({ chain, store, log, pollMs: 20, receiptPollMs: 20, basePath: "/v1/default" });
  ambassador = playerAt(gateway.url, AMBASSADOR_KEY);
  arbiter = playerAt(gateway.url, ARBITER_KEY);
});

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await chain?.[Symbol.asyncDispose]();
});

async function expertWith(amount: bigint): Promise<Player> {
  const expert = playerAt(gateway.url);
  await chain.fund(expert.address as Address, nct(amount));
  return expert;
}

describe("a bounty seen through the gateway alone", () => {
  it("goes from posting to settlement, and every step is told in receipts and on the websocket", async () => {
    using events = await listen(gateway.url);
    const expert = await expertWith(10n * ONE_NCT);
    const uri = store.putDirectory([Buffer.from("one"), Buffer.from("two")]);
    const described = await ask("POST", `${gateway.url}/bounties/metadata`, [
      { filename: "one", filesize: "3", mimetype: "text/plain" },
      { filename: "two", filesize: "3", mimetype: "text/plain" },
    ]);
    const amount = (5n * ONE_NCT).toString();

    const posted = await ambassador.act("/bounties", {
      artifact_type: "file",
      amount,
      uri,
      duration: DURATION,
      metadata: described.body.result,
    });
    expect(posted).toMatchObject({ status: 200, body: { status: "OK" } });
    const [bounty] = (posted.body.result as { bounties: Record<string, unknown>[] }).bounties;
    expect(bounty).toEqual({
      guid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      artifact_type: "file",
      author: ambassador.address,
      amount,
      uri,
      expiration: expect.stringMatching(/^\d+$/),
      metadata: described.body.result,
    });
    const guid = String(bounty!.guid);
    const expiration = Number(bounty!.expiration);
    const reached = (block: number) =>
      events.until(({ event, data }) => event === "block" && Number(data.number) >= block);

    expect(await events.until(({ event }) => event === "bounty")).toEqual({
      event: "bounty",
      data: {
        guid,
        artifact_type: "file",
        author: ambassador.address,
        amount,
        uri,
        expiration: String(expiration),
        metadata: [
          { filename: "one", filesize: "3", mimetype: "text/plain" },
          { filename: "two", filesize: "3", mimetype: "text/plain" },
        ],
      },
      block_number: expiration - DURATION,
      txhash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });

    const nonce = 39273648092955245775213020396586084778909172448983638072247084908784670042379n;
    const commitment = commit(expert.address as Address, 1n, nonce).toString();
    const bid = [ONE_NCT.toString(), (ONE_NCT / 2n).toString()];
    const asserted = await expert.act(`/bounties/${guid}/assertions`, {
      bid,
      mask: [true, true],
      commitment,
    });
    expect(asserted.body).toEqual({
      status: "OK",
      result: {
        transfers: [
          { from: expert.address, to: chain.contracts.registry.address, value: "1531250000000000000" },
        ],
        assertions: [
          { bounty_guid: guid, author: expert.address, index: 0, bid, mask: [true, true], commitment },
        ],
        errors: [],
      },
    });
    const unrevealed = {
      author: expert.address,
      mask: [true, true],
      commitment,
      nonce: "0",
      metadata: "",
      bid,
    };
    expect((await expert.get(`/bounties/${guid}/assertions`)).body.result).toEqual([
      { ...unrevealed, verdicts: [null, null] },
    ]);
    expect((await expert.get(`/bounties/${guid}/assertions/0`)).body.result).toEqual({
      ...unrevealed,
      verdicts: [false, false],
    });

    const verdictUri = (
      await ask("POST", `${gateway.url}/bounties/metadata`, [{ malware_family: "X" }, { malware_family: "" }])
    ).body.result;
    await reached(expiration);
    const reveal = { nonce: nonce.toString(), verdicts: [true, false], metadata: verdictUri };
    const revealed = await expert.act(`/bounties/${guid}/assertions/0/reveal`, reveal);
    const told = { bounty_guid: guid, author: expert.address, index: 0, ...reveal };
    expect(revealed.body.result).toEqual({ reveals: [told], errors: [] });
    expect((await events.until(({ event }) => event === "reveal")).data).toEqual({
      ...told,
      metadata: [{ malware_family: "X" }, { malware_family: "" }],
    });
    expect((await expert.get(`/bounties/${guid}/assertions`)).body.result).toEqual([
      {
        ...unrevealed,
        nonce: nonce.toString(),
        verdicts: [true, false],
        metadata: [{ malware_family: "X" }, { malware_family: "" }],
      },
    ]);

    await reached(expiration + 20);
    const voted = await arbiter.act(`/bounties/${guid}/vote`, { votes: [true, false], valid_bloom: true });
    const vote = { bounty_guid: guid, voter: arbiter.address, votes: [true, false] };
    expect(voted.body.result).toEqual({ votes: [vote], errors: [] });
    expect((await arbiter.get(`/bounties/${guid}/votes`)).body.result).toEqual([
      { voter: arbiter.address, votes: [true, false], valid_bloom: true },
    ]);
    await events.until(({ event }) => event === "quorum");

    const settled = await expert.act(`/bounties/${guid}/settle`);
    expect(settled.body.result).toEqual({
      transfers: [
        { from: chain.contracts.registry.address, to: expert.address, value: "6500000000000000000" },
      ],
      errors: [],
    });
    const payout = await events.until(({ event }) => event === "settled_bounty");
    expect(payout.data).toEqual({ bounty_guid: guid, settler: expert.address, payout: 6500000000000000000n });

    const names = events.heard.map(({ event }) => event);
    expect(names[0]).toBe("connected");
    expect(events.heard[0]).toEqual({
      event: "connected",
      data: { start_time: expect.stringMatching(/^\d+\.\d{6}$/) },
    });
    expect(names).toEqual(
      expect.arrayContaining(["block", "bounty", "assertion", "reveal", "vote", "quorum"]),
    );
    expect(events.textFrames()).toBe(0);

    const now = await expert.get(`/bounties/${guid}`);
    expect(now.body.result).toMatchObject({
      guid,
      num_artifacts: 2,
      expiration,
      quorum_reached: true,
      quorum_mask: [true, true],
    });
    expect(sameAddress(String((now.body.result as { author: string }).author), ambassador.address)).toBe(
      true,
    );
  });
});

const UNKNOWN = "3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f";
const at = (path: string): string => `${gateway.url}${path}`;

/** Posts a bounty that nobody needs to see through; returns its GUID. */
async function bountyOf(contents: readonly string[], duration = 50): Promise<string> {
  const posted = await ambassador.act("/bounties", {
    artifact_type: "file",
    amount: (2n * ONE_NCT * BigInt(contents.length)).toString(),
    uri: store.putDirectory(contents.map((content) => Buffer.from(content))),
    duration,
  });
  return (posted.body.result as { bounties: { guid: string }[] }).bounties[0]!.guid;
}

describe("envelopes and callers", () => {
  it("answers a missing account, an unknown chain and an absent home chain each in its own way", async () => {
    expect(await ask("GET", at("/bounties/parameters"))).toMatchObject({
      status: 400,
      body: { status: "FAIL", errors: "Account must be provided" },
    });
    expect(await ask("GET", at(`/nonce?account=${ambassador.address}&chain=moon`))).toMatchObject({
      status: 400,
      body: { status: "FAIL", errors: "Chain must one of home, side" },
    });
    const home = await ask("GET", at(`/nonce?account=${ambassador.address}&chain=home`));
    expect(home.status).toBe(500);
    expect(Object.keys(home.body)).toEqual(["message"]);
  });

  it("answers unknown routes, GUIDs that are none and wrong methods with a message and nothing else", async () => {
    const wallets = await ask("OPTIONS", at("/wallets/"));
    expect(wallets).toMatchObject({ status: 404, body: { message: expect.any(String) } });
    expect(wallets.body).not.toHaveProperty("status");
    expect((await ambassador.get("/bounties/not-a-guid")).status).toBe(404);
    expect((await ask("PUT", at("/status"))).status).toBe(405);
    const broken = await ask("POST", at("/bounties/metadata"), "{not json");
    expect(broken.status).toBe(400);
    expect(Object.keys(broken.body)).toEqual(["message"]);
  });

  it("answers with and without the base path and a trailing slash", async () => {
    const bare = gateway.url.replace("/v1/default", "");
    for (const url of [at("/status"), at("/status/"), `${bare}/status`, `${bare}/status/`]) {
      expect((await ask("GET", url)).status).toBe(200);
    }
  });

  it("sees no body that does not say it is JSON", async () => {
    const url = at(`/bounties/${UNKNOWN}/vote?account=${ambassador.address}`);
    const body = '{"votes":[true],"valid_bloom":true}';
    expect(await ask("POST", url, body, { "content-type": "text/plain" })).toMatchObject({
      status: 400,
      body: { status: "FAIL", errors: "Invalid JSON: data must be object" },
    });
    expect((await ask("POST", url, body)).status).toBe(200);
  });

  it("cannot be had on a port that somebody else has", async () => {
    const port = Number(new URL(gateway.url).port);
    await expect(startGateway({ chain, store, log, port })).rejects.toMatchObject({
      code: "GATEWAY_ADDRESS",
    });
  });

  it("refuses strangers when keys are required, except on the open paths", async () => {
    await using guarded = await startGateway({ chain, store, log, apiKeys: ["0123abcd"] });
    const status = async (path: string, key?: string) =>
      (await ask("GET", `${guarded.url}${path}`, undefined, key === undefined ? {} : { authorization: key }))
        .status;
    const parameters = `/bounties/parameters?account=${ambassador.address}`;
    expect(await ask("GET", `${guarded.url}${parameters}`)).toMatchObject({
      status: 401,
      body: { status: "FAIL", errors: "Unauthorized" },
    });
    expect(await status(parameters, "0123abcd")).toBe(200);
    expect(await status(parameters, "Bearer 0123abcd")).toBe(200);
    expect(await status(parameters, "0123abce")).toBe(401);
    expect(await status("/status")).toBe(200);
    expect(await status("/status/")).toBe(401);
    const post = (transactions: string[]) =>
      ask("POST", `${guarded.url}/transactions?account=${ambassador.address}`, { transactions });
    expect(await post(["00", "00"])).toMatchObject({
      status: 403,
      body: { errors: "Posting multiple transactions requires an API key" },
    });
    const { raws, hashes } = await ambassador.prepare(`/bounties/${UNKNOWN}/settle`);
    expect(await post(raws)).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            is_error: true,
            message: `Invalid transaction for tx ${hashes[0]!.slice(2)}: only withdrawals allowed without an API key`,
          },
        ],
      },
    });
  });
});

describe("reading the market", () => {
  it("tells the parameters as bare integers, exactly", async () => {
    expect((await ambassador.get("/bounties/parameters")).body).toEqual({
      status: "OK",
      result: {
        bounty_fee: 62500000000000000n,
        assertion_fee: 31250000000000000n,
        bounty_amount_minimum: 2000000000000000000n,
        assertion_bid_maximum: 1000000000000000000n,
        assertion_bid_minimum: 62500000000000000n,
        arbiter_lookback_range: 100,
        max_duration: 100,
        assertion_reveal_window: 20,
        arbiter_vote_window: 40,
      },
    });
    expect((await ambassador.get("/staking/parameters")).body.result).toEqual({
      minimum_stake: 10_000_000n * ONE_NCT,
      maximum_stake: 100_000_000n * ONE_NCT,
      vote_ratio_numerator: 9,
      vote_ratio_denominator: 10,
    });
    expect((await ambassador.get("/relay/fees")).body.result).toEqual({ fees: 0 });
    expect((await ambassador.get("/syncing")).body.result).toBe(false);
    expect((await ask("GET", at("/status"))).body.result).toEqual({
      community: "sandbox",
      home: { reachable: false },
      side: { reachable: true, syncing: false, block: expect.any(Number) },
      artifact_services: { ipfs: { reachable: true } },
    });
  });

  it("knows a bounty that was never posted by an invalid URI", async () => {
    expect(await ambassador.get(`/bounties/${UNKNOWN}`)).toMatchObject({
      status: 400,
      body: { status: "FAIL", errors: "Invalid IPFS URI" },
    });
    for (const part of ["assertions", "assertions/0", "votes", "votes/0", "bloom"]) {
      expect(await ambassador.get(`/bounties/${UNKNOWN}/${part}`)).toMatchObject({
        status: 404,
        body: { status: "FAIL", errors: "Bounty not found" },
      });
    }
    const guid = await bountyOf(["unanswered"]);
    expect((await ambassador.get(`/bounties/${guid}/assertions`)).body.result).toEqual([]);
    expect(await ambassador.get(`/bounties/${guid}/assertions/0`)).toMatchObject({
      status: 404,
      body: { errors: "Assertion not found" },
    });
    expect(await ambassador.get(`/bounties/${guid}/votes/0`)).toMatchObject({
      status: 404,
      body: { errors: "Vote not found" },
    });
  });

  it("tells a bounty with its expiration as an integer, no metadata as null, and its bloom filter", async () => {
    const guid = await bountyOf(["a", "b", "c"]);
    const told = (await ambassador.get(`/bounties/${guid}`)).body.result as Record<string, unknown>;
    expect(told).toEqual({
      guid,
      artifact_type: "file",
      author: ambassador.address,
      amount: "6000000000000000000",
      uri: expect.stringMatching(/^Qm\w{44}$/),
      num_artifacts: 3,
      expiration: expect.any(Number),
      assigned_arbiter: "0x0000000000000000000000000000000000000000",
      quorum_reached: false,
      quorum_reached_block: 0,
      quorum_mask: [false, false, false],
      metadata: null,
    });
    const cids = store.list(String(told.uri))!.map(({ hash }) => hash);
    const { bloom } = (await ambassador.get(`/bounties/${guid}/bloom`)).body.result as { bloom: unknown[] };
    expect(bloom.map((word) => BigInt(word as bigint))).toEqual(bloomOf(cids));
  });

  it("lists GUIDs by pages of the contract's size, and only those", async () => {
    const guid = await bountyOf(["listed"]);
    const first = (await ambassador.get("/bounties")).body.result as string[];
    expect(first).toContain(guid);
    expect((await ambassador.get("/bounties?page=0&count=75")).body.result).toEqual(first);
    expect((await ambassador.get("/bounties?page=9")).body.result).toEqual([]);
    for (const count of [10, 100]) {
      expect(await ambassador.get(`/bounties?count=${count}`)).toMatchObject({
        status: 400,
        body: { errors: "Count must be a multiple of page size 25" },
      });
    }
    expect((await ambassador.get("/bounties?page=x")).status).toBe(500);
  });

  it("tells balances as decimal strings", async () => {
    const expert = await expertWith(3n * ONE_NCT + 1n);
    const balance = async (kind: string) =>
      (await ask("GET", at(`/balances/${expert.address}/${kind}`))).body;
    expect(await balance("nct")).toEqual({ status: "OK", result: "3000000000000000001" });
    expect((await balance("eth")).result).toBe("0");
    expect((await balance("staking/total")).result).toBe("0");
    expect((await balance("staking/withdrawable")).result).toBe("0");
    expect(await ask("GET", at("/balances/0x12/nct"))).toMatchObject({
      status: 400,
      body: { errors: "Invalid address" },
    });
  });
});

describe("artifacts", () => {
  const upload = async (files: readonly (readonly [field: string, content: string])[]) => {
    const form = new FormData();
    for (const [field, content] of files) form.append(field, new Blob([content]), "any name.exe");
    const response = await fetch(at("/artifacts"), { method: "POST", body: form });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it("takes files, forgets their names and hands them out again in order", async () => {
    const { body } = await upload([
      ["file", "first"],
      ["file", "second"],
    ]);
    const uri = String(body.result);
    expect(uri).toMatch(/^Qm\w{44}$/);
    const listed = (await ask("GET", at(`/artifacts/${uri}`))).body.result as { hash: string }[];
    expect(listed).toEqual([
      { name: "000000", hash: expect.stringMatching(/^Qm/) },
      { name: "000001", hash: expect.stringMatching(/^Qm/) },
    ]);
    const second = await fetch(at(`/artifacts/${uri}/1`));
    expect(second.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await second.text()).toBe("second");
    expect((await ask("GET", at(`/artifacts/${uri}/1/stat`))).body.result).toMatchObject({
      hash: listed[1]!.hash,
      data_size: 6,
      name: "000001",
    });
    expect((await ask("GET", at("/artifacts/status"))).body.result).toEqual({ online: true });
    const single = await ask("GET", at(`/artifacts/${listed[0]!.hash}`));
    expect(single.body.result).toEqual([{ name: "", hash: listed[0]!.hash }]);
  });

  it("says of each upload and download that it refuses why it does", async () => {
    expect(await upload([["file", ""]])).toMatchObject({ status: 400, body: { errors: "Artifact empty" } });
    expect(await upload([["other", "x"]])).toMatchObject({ status: 400, body: { errors: "No artifacts" } });
    const many = Array.from({ length: 257 }, () => ["file", "x"] as const);
    expect(await upload(many)).toMatchObject({ status: 400, body: { errors: "Too many artifacts" } });
    const large = "x".repeat(10_485_761);
    expect(await upload([["file", large]])).toMatchObject({
      status: 413,
      body: { errors: "Artifact too large" },
    });
    const uri = store.putDirectory([Buffer.from(large), Buffer.alloc(0)]);
    expect(await ask("GET", at(`/artifacts/${uri}/0`))).toMatchObject({
      status: 400,
      body: { errors: `Artifact with URI ${uri} too large` },
    });
    expect((await fetch(at(`/artifacts/${uri}/1`))).status).toBe(200);
    expect(await ask("GET", at(`/artifacts/${uri}/2`))).toMatchObject({
      status: 404,
      body: { errors: `Artifact with URI ${uri} not found` },
    });
    for (const invalid of ["l0OI", "Q".repeat(100)]) {
      expect(await ask("GET", at(`/artifacts/${invalid}/0`))).toMatchObject({
        status: 400,
        body: { errors: "Invalid artifact URI" },
      });
    }
  });
});

describe("building transactions", () => {
  it("numbers them from base_nonce, free of gas, in the order of the protocol's example", async () => {
    const { body } = await ambassador.post(`/bounties/${UNKNOWN}/assertions?base_nonce=41`, {
      bid: ["1000000000000000000", "531250000000000000"],
      mask: [true, false, true],
      commitment: "41858823515709770275456305386038469104272066898356396537577255862292579792862",
    });
    const { token, registry } = chain.contracts;
    const common = { chainId: 1338, gas: 50_000_000, gasPrice: 0, value: 0 };
    const { transactions } = body.result as { transactions: { data: string }[] };
    expect(transactions).toEqual([
      { ...common, nonce: 41, to: token.address, data: expect.stringMatching(/^0x095ea7b3/) },
      { ...common, nonce: 42, to: registry.address, data: `0x${PUBLISHED_POST_ASSERTION}` },
    ]);
    expect(Object.keys(transactions[0]!)).toEqual([
      "nonce",
      "chainId",
      "gas",
      "gasPrice",
      "to",
      "value",
      "data",
    ]);
    expect(BigInt(`0x${transactions[0]!.data.slice(-64)}`)).toBe(1562500000000000000n);
  });

  it("makes the commitment itself when it is given the verdicts, and returns the nonce as an integer", async () => {
    const guid = await bountyOf(["x"]);
    const { body } = await ambassador.post(`/bounties/${guid}/assertions`, {
      bid: ["62500000000000000"],
      mask: [true],
      verdicts: [true],
    });
    const { nonce, transactions } = body.result as { nonce: bigint; transactions: { data: string }[] };
    const words = transactions[1]!.data.slice(10).match(/.{64}/g)!;
    expect(BigInt(`0x${words[3]}`)).toBe(commit(ambassador.address as Address, 1n, nonce));
  });

  it("says what is wrong with an assertion, a reveal, a vote and a bounty", async () => {
    const errors = async (path: string, body: unknown) => {
      const answer = await ambassador.post(path, body);
      return [answer.status, answer.body.errors];
    };
    const assertions = `/bounties/${UNKNOWN}/assertions`;
    const uneven = "bid_portions must be equal in length to the number of true mask values";
    expect(await errors(assertions, { bid: ["1"], mask: [true] })).toEqual([
      400,
      "Require verdicts and bid_portions or a commitment",
    ]);
    expect(await errors(assertions, { bid: ["1"], mask: [true, true], commitment: "1" })).toEqual([
      400,
      uneven,
    ]);
    expect(await errors(assertions, { bid: [], mask: [], commitment: "1" })).toEqual([400, uneven]);
    expect(await errors(assertions, { bid: [1], mask: [true], commitment: "1" })).toEqual([
      400,
      "Invalid JSON: data.bid[0] must be string",
    ]);
    expect(await errors(`${assertions}/0/reveal`, { nonce: "1", verdicts: [true], metadata: null })).toEqual([
      400,
      "Invalid JSON: data.metadata must be string",
    ]);
    expect(
      (await ambassador.post(`${assertions}/0/reveal`, { nonce: "1", verdicts: [], metadata: "" })).status,
    ).toBe(200);
    expect(await errors(`/bounties/${UNKNOWN}/vote`, { votes: [true] })).toEqual([
      400,
      "Invalid JSON: data must contain ['valid_bloom'] properties",
    ]);
    const uri = store.putDirectory([Buffer.from("1"), Buffer.from("2")]);
    const bounty = { artifact_type: "file", uri, duration: 5 };
    expect(await errors("/bounties", { ...bounty, amount: "3999999999999999999" })).toEqual([
      400,
      "Invalid bounty amount",
    ]);
    expect(await errors("/bounties", { ...bounty, amount: "4".padEnd(19, "0"), uri: "0" })).toEqual([
      500,
      "Failed to check artifact uri",
    ]);
    expect(await errors("/staking/withdraw", { amount: "1" })).toEqual([
      400,
      "Exceeds withdrawal eligible 0",
    ]);
    expect(await errors("/staking/deposit", { amount: "100000000000000000000000000" })).toEqual([
      400,
      "Total stake above allowable maximum.",
    ]);
  });

  it("stores metadata of either schema and refuses what is neither", async () => {
    const post = async (document: unknown) => (await ask("POST", at("/bounties/metadata"), document)).status;
    expect(await post([{ malware_family: "A", scanner: { version: "1.2.3" } }])).toBe(200);
    expect(await post([{ protocol: "https", uri: "https://phish.example/login" }])).toBe(200);
    expect(await post([{ malware_family: null }])).toBe(400);
    expect(await post([])).toBe(400);
    expect(await ask("POST", at("/bounties/metadata"), { malware_family: "A" })).toMatchObject({
      status: 400,
      body: { errors: "Invalid metadata" },
    });
  });
});

describe("sending transactions", () => {
  it("names the fault of each transaction it does not pass on", async () => {
    const expert = await expertWith(ONE_NCT);
    const send = async (player: Player, transactions: string[]) => {
      const answer = await player.post("/transactions", { transactions });
      return [answer.status, answer.body.errors];
    };
    const fault = (message: unknown) => [400, [{ is_error: true, message }]];

    expect(await send(expert, ["abcdef", "00"])).toEqual(
      fault(expect.stringMatching(/^Invalid transaction: /)),
    );
    expect(await send(expert, ["0x00"])).toEqual([
      400,
      "Invalid JSON: data.transactions[0] must match pattern ^[0-9a-fA-F]+$",
    ]);
    const { raws, hashes } = await expert.prepare(`/bounties/${UNKNOWN}/settle`);
    const hash = hashes[0]!.slice(2);
    expect(await send(ambassador, raws)).toEqual(
      fault(
        `Invalid transaction sender for tx ${hash}: expected ${ambassador.address} got ${expert.address}`,
      ),
    );
    const sent = await expert.post("/transactions", { transactions: raws });
    expect(sent.body).toEqual({ status: "OK", result: [{ is_error: false, message: `0x${hash}` }] });
    await expert.get("/transactions", { transactions: [hash] });
    expect(await send(expert, raws)).toEqual(
      fault(
        expect.stringMatching(
          new RegExp(
            `^Invalid transaction error for tx ${hash}: \\{'code': -32000, 'message': 'nonce too low`,
          ),
        ),
      ),
    );
  });

  it("answers for a mined transaction only when one further block is there", async () => {
    const expert = await expertWith(ONE_NCT);
    const { raws, hashes } = await expert.prepare(`/bounties/${UNKNOWN}/settle`);
    await expert.post("/transactions", { transactions: raws });
    await expert.get("/transactions", { transactions: hashes });
    const head = await chain.head();
    const receipt = await chain.rpc("eth_getTransactionReceipt", [hashes[0]]);
    expect(head).toBeGreaterThan(Number((receipt as { blockNumber: string }).blockNumber));
  });

  it("tells the reason of a revert, and the other transaction's events beside it", async () => {
    const expert = await expertWith(ONE_NCT);
    const settled = await expert.act(`/bounties/${UNKNOWN}/settle`);
    expect(settled).toMatchObject({
      status: 400,
      body: {
        status: "FAIL",
        errors: {
          errors: [
            expect.stringMatching(
              /^transaction [0-9a-f]{64}: transaction failed at block \d+, error: Bounty not initialized$/,
            ),
          ],
        },
      },
    });
    const poor = playerAt(gateway.url);
    const guid = await bountyOf(["y"]);
    const asserted = await poor.act(`/bounties/${guid}/assertions`, {
      bid: ["62500000000000000"],
      mask: [true],
      commitment: "7",
    });
    expect((asserted.body.errors as { errors: string[] }).errors).toEqual([
      expect.stringMatching(/error: Invalid revert encoding$/),
    ]);
  });

  it("gives up a receipt that does not come, and shows what waits in the pool to its checksum address", async () => {
    await using impatient = await startGateway({ chain, store, log, receiptTimeoutMs: 0 });
    const missing = "ab".repeat(32);
    const url = `${impatient.url}/transactions?account=${ambassador.address}`;
    expect(await ask("GET", url, { transactions: [`0x${missing}`] })).toMatchObject({
      status: 400,
      body: { errors: { errors: [`transaction ${missing}: timeout during wait for receipt`] } },
    });
    expect(await ask("GET", url)).toMatchObject({
      status: 400,
      body: { errors: "Invalid JSON: data must be object" },
    });

    const expert = playerAt(gateway.url);
    const { raws } = await expert.prepare(`/bounties/${UNKNOWN}/settle`, undefined, 3);
    await expert.post("/transactions", { transactions: raws });
    expect((await expert.get("/pending")).body.result).toEqual(["3"]);
    const lower = await ask("GET", at(`/pending?account=${expert.address.toLowerCase()}`));
    expect(lower.body.result).toEqual([]);
  });

  it("counts what waits in the pool into the next nonce, unless told to leave it out", async () => {
    using events = await listen(gateway.url);
    const expert = playerAt(gateway.url);
    const { raws } = await expert.prepare(`/bounties/${UNKNOWN}/settle`);
    const minedNow = async () =>
      Number(await chain.rpc("eth_getTransactionCount", [expert.address, "latest"]));
    // Right after a block there is most of a block's time in which nothing is mined.
    await events.until(({ event }) => event === "block");
    await expert.post("/transactions", { transactions: raws });
    const before = await minedNow();
    const mined = (await expert.get("/nonce?ignore_pending")).body.result;
    const after = await minedNow();
    expect((await expert.get("/nonce")).body.result).toBe(1);
    expect(mined).toBeGreaterThanOrEqual(before);
    expect(mined).toBeLessThanOrEqual(after);
  });
});

describe("the event stream", () => {
  it("tells changes of fees and windows and a deprecation, and nothing of the home chain", async () => {
    using side = await listen(gateway.url);
    using home = await listen(gateway.url, "/events?chain=home");
    const { registry } = chain.contracts;
    const { deployer } = chain.accounts;
    const fees = { bounty_fee: 62500000000000001n, assertion_fee: 31250000000000000n };
    await chain.send(deployer, registry, "setBountyFee", [fees.bounty_fee]);
    expect((await side.until(({ event }) => event === "fee_update")).data).toEqual(fees);
    await chain.send(deployer, registry, "setWindows", [13, 31]);
    expect((await side.until(({ event }) => event === "window_update")).data).toEqual({
      assertion_reveal_window: 13,
      arbiter_vote_window: 31,
    });
    await chain.send(deployer, registry, "deprecate", [true]);
    expect((await side.until(({ event }) => event === "deprecated")).data).toEqual({ rollover: true });
    await chain.send(deployer, registry, "undeprecate", []);
    expect((await side.until(({ event }) => event === "undeprecated")).data).toEqual({});
    expect(home.heard.map(({ event }) => event)).toEqual(["connected"]);
    const numbers = side.heard
      .filter(({ event }) => event === "block")
      .map(({ data }) => Number(data.number));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });
});

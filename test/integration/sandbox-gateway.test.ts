import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Address, sameAddress } from "../../src/domain/address.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { createLogger } from "../../src/observe/log.ts";
import { type Chain, startChain } from "../../src/sandbox/chain.ts";
import { commit } from "../../src/sandbox/gateway/commitment.ts";
import { type Gateway, startGateway } from "../../src/sandbox/gateway/server.ts";
import { type ArtifactStore, memoryStore } from "../../src/sandbox/store.ts";
import { ask, listen, type Player, playerAt } from "../fixtures/sandbox-gateway-client.ts";

/** The accounts that anvil makes of its published test mnemonic: ambassador, first arbiter. */
const AMBASSADOR_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const ARBITER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

const DURATION = 12;
const log = createLogger({ level: "silent", format: "json", name: "test" });

let chain: Chain;
let store: ArtifactStore;
let gateway: Gateway;
let ambassador: Player;
let arbiter: Player;

beforeAll(async () => {
  chain = await startChain({
    blockTimeMs: 100,
    revealWindow: 12,
    voteWindow: 30,
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

    await reached(expiration + 12);
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

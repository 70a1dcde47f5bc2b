import { createHash } from "node:crypto";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { joinPolyswarmd, type PolyswarmdOptions } from "../../src/market/onchain/gateway/client.ts";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import { OddGateway } from "./odd-gateway.ts";

const wallet = openSigner(createHash("sha256").update("protocol-ref-key-expert").digest());
const rival = `0x${"11".repeat(20)}`;
const guid = uintToGuid(7n);
const BOUNTY = `"guid":"${guid}","artifact_type":"file","author":"${rival}","amount":"5000000000000000001","uri":"Qm","num_artifacts":1,"expiration":1020`;
/** 4 MB of small numbers. */
const NUMBERS = `[${"1,".repeat(2_000_000)}1]`;

let gateway: OddGateway;
let market: Marketplace;
let told: { readonly msg: string; readonly frames?: number }[];

beforeEach(async () => {
  gateway = await OddGateway.open();
  told = [];
});
afterEach(async () => {
  await market[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function started(more: Partial<PolyswarmdOptions> = {}): Promise<void> {
  const opened = gateway.connection();
  market = joinPolyswarmd({
    addr: gateway.url,
    chain: "side",
    signer: wallet,
    clock: systemClock,
    waitMs: 0,
    log: pino({}, { write: (line: string) => void told.push(JSON.parse(line)) }),
    random: () => 0.5,
    timings: { http: { backoffMs: 5, pauseMs: 20 }, stream: { backoffMs: 5 } },
    ...more,
  });
  await market.start(AbortSignal.timeout(10_000));
  await opened;
}

const answer = (route: string, result: string): void =>
  gateway.on(route, { status: 200, text: `{"status":"OK","result":${result}}` });

describe("what strangers wrote into answers", () => {
  it("is left out of a bounty where it is 4 MB of small numbers; the bounty is read, and that is told once", async () => {
    let refused = 0;
    await started({ onClaimsRefused: () => refused++ });
    answer(`GET /bounties/${guid}`, `{${BOUNTY},"metadata":${NUMBERS},"quorum_reached":true}`);
    for (let time = 0; time < 2; time++) {
      expect(await market.bounty(guid)).toMatchObject({
        guid,
        amount: 5_000_000_000_000_000_001n,
        claims: [{ raw: {} }],
      });
    }
    expect(await market.quorumReached(guid)).toBe(true);
    expect(told.filter(({ msg }) => msg === "market.claims-refused")).toHaveLength(1);
    expect(refused).toBe(1);
  });

  it.each([
    ["too deep", `${"[".repeat(50)}${"]".repeat(50)}`],
    ["of too many values", `[${"1,".repeat(60_000)}1]`],
  ])("is left out of a bounty where it is %s", async (_how, metadata) => {
    await started();
    answer(`GET /bounties/${guid}`, `{"metadata":${metadata},${BOUNTY}}`);
    expect(await market.bounty(guid)).toMatchObject({ guid, claims: [{ raw: {} }] });
  });

  it("is kept of each claim as far as it has room, the smallest keys first", async () => {
    await started();
    const claim = { dump: "x".repeat(5_000), filename: "a.exe", sha256: "ab".repeat(32), filesize: 7 };
    answer(`GET /bounties/${guid}`, `{${BOUNTY},"metadata":[${JSON.stringify(claim)}]}`);
    const { dump: _, ...raw } = claim;
    expect((await market.bounty(guid))?.claims).toEqual([
      { filename: "a.exe", sha256: claim.sha256, sizeBytes: 7, raw },
    ]);
  });

  it("stands beside our assertion in 16 MB of rivals' reveal metadata, and ours is found", async () => {
    await started();
    const row = (author: string, commitment: number, metadata: string) =>
      `{"author":"${author}","bid":["5"],"mask":[true],"commitment":${commitment},"nonce":"1","verdicts":[true],"metadata":${metadata}}`;
    const rivals = [1, 2, 3, 4].map((commitment) => row(rival, commitment, NUMBERS));
    const ours = row(wallet.address, 5, NUMBERS);
    answer(`GET /bounties/${guid}/assertions`, `[${[...rivals, ours].join(",")}]`);
    answer(`GET /bounties/${guid}/assertions/4`, ours);
    const found = (await market.assertions(guid)).filter(({ author }) => author === wallet.address);
    expect(found).toMatchObject([{ index: 4, commitment: 5n, bids: [5n], revealed: true }]);
  });

  it.each([
    ["a balance", `GET /balances/${wallet.address}/nct`, () => market.balance()],
    ["a listing", "GET /artifacts/Qm", () => market.listArtifacts("Qm")],
    ["a page of bounties", "GET /bounties", () => market.bountyPage(0)],
    ["votes", `GET /bounties/${guid}/votes`, () => market.votes(guid)],
    ["a bounty, beside its metadata", `GET /bounties/${guid}`, () => market.bounty(guid)],
  ] as const)("is refused as %s once it is more than that can be", async (_what, route, ask) => {
    await started();
    answer(route, `"${"9".repeat(3_000_000)}"`);
    await expect(ask()).rejects.toMatchObject({ code: "MARKET_ANSWER_TOO_LARGE" });
  });
});

describe("the event stream", () => {
  it("is looked at for a thousand bounties of a flood of 20,000, and for every block among them", async () => {
    const dropped: string[] = [];
    await started({ onDroppedEvent: (event) => dropped.push(event) });
    let bounties = 0;
    market.on("bounty", () => bounties++);
    const seen = new Promise<void>((resolve) =>
      market.on("quorum", ({ guid: of }) => of === uintToGuid(99n) && resolve()),
    );
    for (let number = 1; number <= 20_000; number++) {
      gateway.sayRaw(
        Buffer.from(
          `{"event":"bounty","data":{"guid":"${uintToGuid(BigInt(number))}","artifact_type":"file","author":"${rival}","amount":"5","uri":"Qm","expiration":"200"},"block_number":100,"txhash":"0x${number}"}`,
        ),
      );
      if (number % 1_000 === 0) gateway.say("block", { number: 100 + number / 1_000 });
    }
    gateway.say("quorum", { bounty_guid: uintToGuid(99n) });
    await seen;
    expect(bounties).toBeGreaterThanOrEqual(1_000);
    expect(bounties + dropped.length).toBe(20_000);
    // A hundred more for each second that it took.
    expect(bounties).toBeLessThan(10_000);
    expect(new Set(dropped)).toEqual(new Set(["bounty"]));
    expect(market.head()).toBe(120);
    expect(told.filter(({ msg }) => msg === "market.events-dropped")).toHaveLength(1);
  });

  it.each(["vote", "nonsense"])(
    "hears quorums and settlements behind a flood of %s frames",
    async (event) => {
      await started();
      const heard: string[] = [];
      market.on("quorum", () => heard.push("quorum"));
      market.on("settled", () => heard.push("settled"));
      const last = new Promise<void>((resolve) =>
        market.on("block", ({ number }) => number === 200 && resolve()),
      );
      const frame = Buffer.from(`{"event":"${event}","data":{}}`);
      for (let number = 1; number <= 20_000; number++) gateway.sayRaw(frame);
      gateway.say("quorum", { bounty_guid: uintToGuid(99n) });
      gateway.say("settled_bounty", { bounty_guid: uintToGuid(99n), settler: rival, payout: "5" });
      gateway.say("block", { number: 200 });
      await last;
      expect(heard).toEqual(["quorum", "settled"]);
    },
  );

  it("gives the terms of a bounty whose metadata makes a frame of 15 MB, and none of the metadata", async () => {
    await started();
    const heard = new Promise((resolve) => market.on("bounty", resolve));
    gateway.sayRaw(
      Buffer.from(
        `{"event":"bounty","data":{"metadata":[${"1,".repeat(7_500_000)}1],${BOUNTY}},"block_number":100,"txhash":"0x1"}`,
      ),
    );
    expect(await heard).toEqual({
      guid,
      kind: "file",
      author: rival,
      amount: 5_000_000_000_000_000_001n,
      uri: "Qm",
      expiration: 1020,
      postedIn: 100,
    });
  });

  it("takes a frame of more than any event says for nonsense", async () => {
    const malformed: string[] = [];
    await started({ onMalformedEvent: (event) => malformed.push(event) });
    const heard = new Promise((resolve) => market.on("quorum", resolve));
    gateway.say("vote", {
      bounty_guid: guid,
      voter: rival,
      votes: Array.from({ length: 50_000 }, () => true),
    });
    gateway.say("quorum", { bounty_guid: guid });
    await heard;
    expect(malformed).toEqual(["(no event)"]);
  });
});

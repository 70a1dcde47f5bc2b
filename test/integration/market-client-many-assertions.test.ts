import { createHash } from "node:crypto";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { joinPolyswarmd } from "../../src/market/onchain/gateway/client.ts";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import { OddGateway } from "./odd-gateway.ts";

const wallet = openSigner(createHash("sha256").update("protocol-ref-key-expert").digest());
const rival = `0x${"11".repeat(20)}`;
const guid = uintToGuid(7n);
const LIST = `/bounties/${guid}/assertions`;

const row = (author: string, commitment: number) => ({
  author,
  bid: ["5"],
  mask: [true],
  commitment,
  nonce: "0",
  verdicts: [null],
});
/** More than is read of a list: one row of strangers holds so many values, or so many bytes. */
const TOO_MANY = { status: 200, text: `{"status":"OK","result":[${"1,".repeat(1_300_000)}1]}` };
const TOO_LONG = { status: 200, text: `{"status":"OK","result":["${"x".repeat(13 * 1_024 * 1_024)}"]}` };
const NO_ROW = { status: 404, text: '{"status":"FAIL","errors":"Assertion not found"}' };

let gateway: OddGateway;
let market: Marketplace;

beforeEach(async () => {
  gateway = await OddGateway.open();
  market = joinPolyswarmd({
    addr: gateway.url,
    chain: "side",
    signer: wallet,
    clock: systemClock,
    waitMs: 0,
    log: pino({ level: "silent" }),
    random: () => 0.5,
    timings: { http: { attempts: 2, backoffMs: 5, pauseMs: 20 }, stream: { backoffMs: 5 } },
  });
  await market.start(AbortSignal.timeout(10_000));
});
afterEach(async () => {
  await market[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

/** So many rows by index, ours at `place`. */
function rowsByIndex(count: number, place?: number): void {
  for (let index = 0; index < count + 16; index++) {
    const one = row(index === place ? wallet.address : rival, index);
    gateway.on(`GET ${LIST}/${index}`, index < count ? { result: one } : NO_ROW);
  }
}
const asked = (path: string): number => gateway.asked.filter((it) => it.path.endsWith(path)).length;

describe("a list of assertions that is more than is read", () => {
  it.each([
    ["values", TOO_MANY],
    ["bytes", TOO_LONG],
  ] as const)(
    "of too many %s hides neither our own place nor the others: they are read by index",
    async (_of, list) => {
      gateway.on(`GET ${LIST}`, list);
      rowsByIndex(30, 21);
      expect(await market.ownAssertions(guid)).toMatchObject([{ index: 21, commitment: 21n }]);
      const all = await market.assertions(guid);
      expect(all.map(({ index }) => index)).toEqual(Array.from({ length: 30 }, (_, index) => index));
      // Once was enough to know.
      expect(asked(LIST)).toBe(1);
    },
  );

  it("says that none is ours where none is", async () => {
    gateway.on(`GET ${LIST}`, TOO_MANY);
    rowsByIndex(30);
    expect(await market.ownAssertions(guid)).toEqual([]);
  });

  it("is no reason to call ours not there while a row cannot be read", async () => {
    gateway.on(`GET ${LIST}`, TOO_MANY);
    rowsByIndex(30);
    gateway.on(`GET ${LIST}/11`, { status: 500, text: "" });
    await expect(market.ownAssertions(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_TOO_LARGE" });
    await expect(market.assertions(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_TOO_LARGE" });
  });

  it("is refused as before where rows cannot be had one by one", async () => {
    gateway.on(`GET ${LIST}`, TOO_MANY);
    for (let index = 0; index < 8; index++) gateway.on(`GET ${LIST}/${index}`, NO_ROW);
    await expect(market.assertions(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_TOO_LARGE" });
  });

  it("is followed to a bound when it never ends", async () => {
    gateway.on(`GET ${LIST}`, TOO_MANY);
    rowsByIndex(3_000);
    await expect(market.assertions(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_TOO_LARGE" });
    expect(gateway.asked.length).toBeLessThan(2_200);
  });
});

describe("a place that is known", () => {
  it.each([
    ["too large", TOO_MANY],
    ["refused", { status: 500, text: "" }],
    ["never answered", "hang"],
  ] as const)("is asked for alone, so that a list that is %s does not hide it", async (_how, list) => {
    gateway.on(`GET ${LIST}`, list);
    gateway.on(`GET ${LIST}/9000`, { result: row(wallet.address, 7) });
    expect(await market.ownAssertions(guid, { likely: 9_000 })).toMatchObject([
      { index: 9_000, commitment: 7n },
    ]);
    expect(asked("/assertions/0")).toBe(0);
  });

  it("that is another's now is looked for in the list", async () => {
    gateway.on(`GET ${LIST}`, { result: [row(rival, 1), row(wallet.address, 2)] });
    gateway.on(`GET ${LIST}/0`, { result: row(rival, 1) });
    gateway.on(`GET ${LIST}/1`, { result: row(wallet.address, 2) });
    expect(await market.ownAssertions(guid, { likely: 0 })).toMatchObject([{ index: 1, commitment: 2n }]);
  });
});

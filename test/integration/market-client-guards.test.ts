import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { guidToUint, uintToGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import type { ContractEvents, Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { type Built, type OddGateway, PARAMETERS, refusal, registry } from "./odd-gateway.ts";
import { guid, noJournal, type OddMarket, openOddMarket, readable, requestFor } from "./odd-market.ts";

const BUILD = `POST /bounties/${guid}/assertions`;
const SETTLE = `POST /bounties/${guid}/settle`;

let odd: OddMarket;
let gateway: OddGateway;
let market: Marketplace;

beforeEach(async () => {
  odd = await openOddMarket();
  ({ gateway, market } = odd);
});
afterEach(() => odd[Symbol.asyncDispose]());

describe("the contracts", () => {
  it("are learnt from a settlement of a listed bounty that is never signed nor sent", async () => {
    gateway.on("GET /bounties", { result: [uintToGuid(6n), guid] });
    expect(await market.contracts()).toEqual({ chainId: 1337n, registry });
    expect(gateway.requests(SETTLE)).toHaveLength(1);
    expect(gateway.requests("POST /transactions")).toEqual([]);
  });

  it("are learnt too when no bounty is listed, or none can be", async () => {
    gateway.on("GET /bounties", { result: [] });
    expect(await market.contracts()).toEqual({ chainId: 1337n, registry });
    gateway.on("GET /bounties", refusal(400, { status: "FAIL", errors: "no" }));
    expect(await market.contracts()).toEqual({ chainId: 1337n, registry });
  });

  it.each<[string, (transactions: Built[]) => Built[]]>([
    ["another call", ([it]) => [{ ...it!, data: it!.data.replace("5592d687", "a9059cbb") }]],
    [
      "another bounty",
      ([it]) => [
        { ...it!, data: it!.data.replace(guidToUint(guid).toString(16).padStart(64, "0"), "0".repeat(64)) },
      ],
    ],
    ["more bytes", ([it]) => [{ ...it!, data: `${it!.data}00` }]],
    ["two transactions", ([it]) => [it!, it!]],
    ["nothing", () => []],
    ["any chain", ([it]) => [{ ...it!, chainId: 0 }]],
  ])("are not learnt from %s", async (_what, change) => {
    gateway.on("GET /bounties", { result: [guid] });
    gateway.on(SETTLE, (asked) => gateway.build(asked, change));
    await expect(market.contracts()).rejects.toMatchObject({ code: "MARKET_ANSWER_UNREADABLE" });
  });
});

describe("what the wallet refuses", () => {
  it("is told with its bounty, once, whatever was to be done", async () => {
    const refusals: ContractEvents["refused"][0][] = [];
    market.on("refused", (refusal) => void refusals.push(refusal));
    const reveal = { guid, index: 0, nonce: 5n, verdicts: 1n, artifactCount: 2, metadata: "" };
    const elsewhere = (transactions: Built[]) => transactions.map((it) => ({ ...it, chainId: 1 }));
    await market.settle(guid, noJournal);
    for (const route of [BUILD, `POST /bounties/${guid}/assertions/0/reveal`, SETTLE]) {
      gateway.on(route, (asked) => gateway.build(asked, elsewhere));
    }
    const outcomes = [
      await market.assert(requestFor(guid), noJournal),
      await market.reveal(reveal, noJournal),
      await market.settle(guid, noJournal),
    ];
    const reason = expect.stringContaining("chain id is 1 instead of 1337");
    expect(outcomes).toEqual(outcomes.map(() => ({ kind: "failed", retryable: false, reason })));
    expect(refusals).toEqual(outcomes.map(() => ({ guid, reason })));
  });

  it("is not told of when only the fee changed under way", async () => {
    let told = 0;
    market.on("refused", () => void told++);
    gateway.fee = 40000000000000001n;
    await market.assert(requestFor(guid), noJournal);
    expect([told, gateway.posted.length]).toEqual([0, 2]);
  });
});

describe("the fee ceiling", () => {
  const feeCeiling = nct(PARAMETERS.assertion_fee);

  it("lets a fee pass that just reaches it", async () => {
    await market.assert({ ...requestFor(guid), feeCeiling }, noJournal);
    expect(gateway.posted).toHaveLength(2);
  });

  it("keeps anything from being signed when the fee has risen above it, known before or not", async () => {
    gateway.fee = PARAMETERS.assertion_fee + 1n;
    const late = await market.assert({ ...requestFor(guid), feeCeiling }, noJournal);
    const early = await market.assert({ ...requestFor(guid), fee: nct(gateway.fee), feeCeiling }, noJournal);
    for (const outcome of [late, early]) {
      expect(outcome).toMatchObject({
        kind: "failed",
        retryable: true,
        reason: expect.stringContaining("0.031250000000000004 NCT"),
      });
    }
    expect(gateway.requests("POST /transactions")).toEqual([]);
    expect(gateway.requests(BUILD)).toHaveLength(1);
  });
});

describe("a proxy that drops the bodies of GET requests", () => {
  it("is warned of once, at the start, with a hint; other answers are nothing to warn of", async () => {
    const lines: { msg?: string; hint?: string }[] = [];
    const log = pino(
      { level: "warn", messageKey: "msg" },
      { write: (line: string) => void lines.push(JSON.parse(line)) },
    );
    const dropped = refusal(400, { status: "FAIL", errors: "Invalid JSON: data must be object" });
    const short = refusal(400, {
      status: "FAIL",
      errors: "Invalid JSON: data.transactions must have 1 items",
    });
    for (const answer of [dropped, short, "reset", { status: 502, text: "<html>" }] as const) {
      await using started = await openOddMarket({
        log,
        arrange: (odd) => odd.on("GET /transactions", answer),
      });
      // By now the client has read the answer to the question that came before.
      await started.market.balance().catch(noJournal);
    }
    const warnings = lines.filter(({ msg }) => msg === "market.get-body-dropped");
    expect(warnings).toEqual([expect.objectContaining({ hint: expect.stringContaining("proxy") })]);
  });
});

describe("a reveal", () => {
  const REVEAL = `POST /bounties/${guid}/assertions/0/reveal`;
  const request = { guid, index: 0, nonce: 5n, verdicts: 1n, artifactCount: 2, metadata: "" };

  it("whose building is swallowed is asked for again within a few blocks, and given time then", async () => {
    gateway.once(REVEAL, "hang");
    const began = performance.now();
    expect(await market.reveal(request, noJournal)).toEqual({ kind: "done", value: undefined });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(gateway.requests(REVEAL)).toHaveLength(2);
  });
});

describe("a reveal that nobody waits for any more", () => {
  it("is of unknown fate when its receipt is slow, and has not failed", async () => {
    gateway.on("GET /transactions", "hang");
    const waiting = new AbortController();
    const asked = gateway.arrival("GET /transactions");
    const request = { guid, index: 0, nonce: 5n, verdicts: 1n, artifactCount: 2, metadata: "" };
    const revealing = market.reveal(request, noJournal, waiting.signal);
    await asked;
    waiting.abort();
    expect(await revealing).toEqual({ kind: "unknown", reason: "We stopped before the receipt came." });
  });

  it("is of unknown fate, too, when the market's own record of it is slow", async () => {
    await using hasty = await openOddMarket({ receiptPatienceMs: 1 });
    hasty.gateway.on("GET /transactions", (asked) => {
      const [hash] = (asked.body as { transactions: string[] }).transactions;
      return { result: { errors: [`transaction ${hash}: timeout during wait for receipt`] } };
    });
    const record = `GET /bounties/${guid}/assertions/0`;
    hasty.gateway.on(record, "hang");
    const waiting = new AbortController();
    const asked = hasty.gateway.arrival(record);
    const request = { guid, index: 0, nonce: 5n, verdicts: 1n, artifactCount: 2, metadata: "" };
    const revealing = hasty.market.reveal(request, noJournal, waiting.signal);
    await asked;
    waiting.abort();
    expect(await revealing).toMatchObject({ kind: "unknown" });
  });
});

describe("a transaction that is swallowed", () => {
  it("is posted again before long by whoever waits at a gateway that holds its answer back until there is a receipt", async () => {
    await using patient = await openOddMarket({ receiptPatienceMs: 20_000 });
    const { posted } = patient.gateway;
    patient.gateway.once("POST /transactions", "reset", "reset", "reset");
    patient.gateway.on("GET /transactions", () =>
      posted.length === 0 ? "hang" : { result: { errors: [] } },
    );
    const began = performance.now();
    expect(await patient.market.settle(guid, noJournal)).toMatchObject({ kind: "done" });
    expect(performance.now() - began).toBeLessThan(6_000);
  });

  it("holds up the others for five seconds at most, and is posted again in that time", async () => {
    const seen: string[] = [];
    gateway.on("POST /transactions", ({ body }) => {
      const [raw = ""] = (body as { transactions: string[] }).transactions;
      seen.push(raw);
      if (raw === seen[0]) return "hang";
      return { result: [{ is_error: false, message: gateway.take(raw) }] };
    });
    const began = performance.now();
    const swallowed = market.settle(guid, noJournal);
    await gateway.arrival("POST /transactions");
    gateway.nonce = 1n;
    expect(await market.settle(uintToGuid(8n), noJournal)).toMatchObject({ kind: "done" });
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(seen.filter((raw) => raw === seen[0]).length).toBeGreaterThan(1);
    expect(readable(gateway.posted)).toEqual(["1 5592d687"]);
    await market[Symbol.asyncDispose]();
    expect(await swallowed).toMatchObject({ kind: "unknown" });
  });
});

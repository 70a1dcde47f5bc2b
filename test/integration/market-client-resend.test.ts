import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import type { SignedTransaction } from "../../src/wallet/transaction.ts";
import type { Asked, Deed, OddGateway } from "./odd-gateway.ts";
import {
  APPROVE,
  ASSERT,
  bodyOf,
  fateOf,
  guid,
  nodeSays,
  noJournal,
  type OddMarket,
  openOddMarket,
  readable,
  requestFor,
  SETTLE,
} from "./odd-market.ts";

const POST = "POST /transactions";
const TOO_LOW = nodeSays("nonce too low");

let odd: OddMarket;
let gateway: OddGateway;
let market: Marketplace;
let signed: readonly SignedTransaction[];

beforeEach(async () => {
  odd = await openOddMarket();
  ({ gateway, market } = odd);
  signed = [];
});
afterEach(() => odd[Symbol.asyncDispose]());

/** Signs an assertion and crashes before anything is posted. */
async function signAndCrash(): Promise<{ approval: SignedTransaction; assertion: SignedTransaction }> {
  const crashing = market.assert(requestFor(guid), (transactions) => {
    signed = transactions;
    throw new Error("crash");
  });
  await expect(crashing).rejects.toThrow("crash");
  expect(gateway.posted).toEqual([]);
  gateway.asked.splice(0);
  const [approval, assertion] = signed;
  return { approval: approval!, assertion: assertion! };
}

const counts = (mined: number, pending: number) =>
  gateway.on("GET /nonce", ({ query }) => ({ result: query.has("ignore_pending") ? mined : pending }));

/** Takes everything but this one, of which the node says something. */
const nodeSaysOf = (transaction: SignedTransaction, deed: Deed) =>
  gateway.on(POST, (asked: Asked) =>
    bodyOf(asked) === transaction.raw
      ? deed
      : { result: [{ is_error: false, message: gateway.take(bodyOf(asked)) }] },
  );

describe("handing over again what was signed", () => {
  it("posts the same bytes in the order of the nonces, and builds and signs nothing", async () => {
    await signAndCrash();
    expect(await market.resend(signed.toReversed())).toEqual({ kind: "sent" });
    expect(gateway.posted).toEqual(signed.map(({ raw }) => raw));
    expect(readable(gateway.posted)).toEqual([`0 ${APPROVE}`, `1 ${ASSERT}`]);
    expect(new Set(gateway.asked.map(({ path }) => path))).toEqual(new Set(["/transactions"]));
  });

  it("is content when the node has it already", async () => {
    await signAndCrash();
    gateway.on(POST, nodeSays("known transaction: 4f0c"));
    expect(await market.resend(signed)).toEqual({ kind: "sent" });
    expect(gateway.requests(POST)).toHaveLength(2);
  });

  it("goes on with the assertion when the approval was mined itself", async () => {
    const { approval, assertion } = await signAndCrash();
    gateway.take(approval.raw);
    nodeSaysOf(approval, TOO_LOW);
    expect(await market.resend(signed)).toEqual({ kind: "sent" });
    expect(gateway.posted).toEqual([approval.raw, assertion.raw]);
  });

  it("is content when all of it was mined, or reverted: that is for the look-up to say", async () => {
    const { approval, assertion } = await signAndCrash();
    gateway.on(POST, TOO_LOW);
    gateway.on("GET /transactions", (asked) =>
      bodyOf(asked) === approval.hash
        ? { result: { errors: [] } }
        : fateOf("transaction H: transaction failed at block 9, error: Bounty inactive")(asked),
    );
    expect(await market.resend(signed)).toEqual({ kind: "sent" });
    expect(await market.lookUp([assertion.hash])).toMatchObject({ kind: "failed", retryable: false });
  });

  it("is void when another transaction was mined with the nonce of the approval; the assertion stays here", async () => {
    await signAndCrash();
    gateway.on(POST, TOO_LOW);
    counts(1, 1);
    expect(await market.resend(signed)).toMatchObject({
      kind: "void",
      reason: expect.stringContaining("nonce 0"),
    });
    expect(gateway.requests(POST)).toHaveLength(1);
  });

  it("is void when another transaction was mined with the nonce of the assertion", async () => {
    const { assertion } = await signAndCrash();
    nodeSaysOf(assertion, TOO_LOW);
    counts(2, 2);
    expect(await market.resend(signed)).toMatchObject({
      kind: "void",
      reason: expect.stringContaining("nonce 1"),
    });
  });

  it("is void when the approval reverted; the assertion stays here", async () => {
    await signAndCrash();
    gateway.on(POST, TOO_LOW);
    gateway.on(
      "GET /transactions",
      fateOf("transaction H: transaction failed at block 9, error: Invalid revert encoding"),
    );
    expect(await market.resend(signed)).toMatchObject({
      kind: "void",
      reason: expect.stringContaining("reverted"),
    });
    expect(gateway.requests(POST)).toHaveLength(1);
  });

  it.each(["nonce too low", "replacement transaction underpriced"])(
    "is unknown while '%s' comes from a node whose mined count does not agree",
    async (complaint) => {
      await signAndCrash();
      gateway.on(POST, nodeSays(complaint));
      counts(0, 1);
      expect(await market.resend(signed)).toMatchObject({
        kind: "unknown",
        reason: expect.stringContaining(complaint),
      });
      expect(gateway.requests(POST)).toHaveLength(1);
    },
  );

  it("is unknown while nobody could look for its receipt", async () => {
    await signAndCrash();
    gateway.on(POST, TOO_LOW);
    counts(1, 1);
    gateway.on(
      "GET /transactions",
      fateOf("transaction H: unexpected error while fetching transaction receipt"),
    );
    expect(await market.resend(signed)).toMatchObject({ kind: "unknown" });
    gateway.on("GET /transactions", { status: 502, text: "<html>" });
    expect(await market.resend(signed)).toMatchObject({ kind: "unknown" });
  });

  it("is unknown when the answer was lost, and the look-up asks for it from then on", async () => {
    const settled: SignedTransaction[] = [];
    gateway.once(POST, nodeSays("insufficient funds for gas * price + value"));
    await market.settle(guid, (transactions) => void settled.push(...transactions));
    const hashes = settled.map(({ hash }) => hash);
    expect(await market.lookUp(hashes)).toMatchObject({ kind: "failed", reason: "It was never sent." });
    gateway.on(POST, (asked) => {
      gateway.take(bodyOf(asked));
      return "reset";
    });
    expect(await market.resend(settled)).toMatchObject({ kind: "unknown" });
    expect(await market.lookUp(hashes)).toMatchObject({ kind: "done" });
  });

  it("is unknown, with the reason, when the gateway refuses it for reasons of its own", async () => {
    await signAndCrash();
    gateway.on(POST, nodeSays("Invalid transaction sender for tx 0xab: expected A got B"));
    counts(1, 1);
    expect(await market.resend(signed)).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("Invalid transaction sender"),
    });
    expect(gateway.requests(POST)).toHaveLength(1);
  });

  it("is unknown when we are stopped before or in the middle of it", async () => {
    await signAndCrash();
    expect(await market.resend(signed, AbortSignal.abort())).toMatchObject({ kind: "unknown" });
    expect(gateway.requests(POST)).toHaveLength(0);
    gateway.on(POST, TOO_LOW);
    gateway.on("GET /transactions", "hang");
    const stop = new AbortController();
    const asked = gateway.arrival("GET /transactions");
    const resending = market.resend(signed, stop.signal);
    await asked;
    stop.abort();
    expect(await resending).toMatchObject({ kind: "unknown" });
  });

  it("lets nobody choose a nonce in between, and has the node asked for the next", async () => {
    await signAndCrash();
    const held = Promise.withResolvers<Deed>();
    gateway.once(POST, (asked) => {
      gateway.take(bodyOf(asked));
      return held.promise;
    });
    gateway.on("GET /nonce", () => ({ result: gateway.posted.length }));
    const arrived = gateway.arrival(POST);
    const resending = market.resend(signed);
    await arrived;
    const settling = market.settle(guid, noJournal);
    await gateway.arrival(`POST /bounties/${guid}/settle`);
    held.resolve({ result: [{ is_error: false, message: "0x" }] });
    expect(await resending).toEqual({ kind: "sent" });
    expect(await settling).toMatchObject({ kind: "done" });
    expect(readable(gateway.posted)).toEqual([`0 ${APPROVE}`, `1 ${ASSERT}`, `2 ${SETTLE}`]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uintToGuid } from "../../src/domain/guid.ts";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import {
  type Asked,
  type Built,
  type Deed,
  type OddGateway,
  PARAMETERS,
  refusal,
  transactionOf,
} from "./odd-gateway.ts";
import {
  APPROVE,
  ASSERT,
  bodyOf,
  guid,
  nodeSays,
  noJournal,
  type OddMarket,
  openOddMarket,
  readable,
  requestFor,
  wallet,
} from "./odd-market.ts";

const BUILD = `POST /bounties/${guid}/assertions`;

let odd: OddMarket;
let gateway: OddGateway;
let market: Marketplace;

beforeEach(async () => {
  odd = await openOddMarket();
  ({ gateway, market } = odd);
});
afterEach(() => odd[Symbol.asyncDispose]());

/** What the market shows of our assertion, once it is there. */
const ours = {
  author: wallet.address,
  mask: [true, false],
  commitment: "1234",
  nonce: "0",
  verdicts: [null, null],
  metadata: "",
  bid: ["62500000000000001"],
};
const shown = (index: number) => {
  gateway.on(`GET /bounties/${guid}/assertions`, { result: [ours] });
  gateway.on(`GET /bounties/${guid}/assertions/${index}`, { result: ours });
};

const sent = () => readable(gateway.posted);

describe("an assertion", () => {
  it("is done with the index that the market shows, also when a skipped entry shifted the positions", async () => {
    shown(3);
    for (const index of [0, 1, 2]) {
      gateway.on(`GET /bounties/${guid}/assertions/${index}`, {
        result: { ...ours, author: gateway.url.replace(/.*/, `0x${"11".repeat(20)}`) },
      });
    }
    const outcome = await market.assert(requestFor(guid), noJournal);
    expect(outcome).toEqual({ kind: "done", value: { index: 3 } });
    expect(sent()).toEqual([`0 ${APPROVE}`, `1 ${ASSERT}`]);
  });

  it("sends nothing before the journal has the hashes, and nothing at all when it cannot", async () => {
    const journalled: number[] = [];
    shown(0);
    await market.assert(requestFor(guid), async (hashes) => {
      await market.balance().catch(noJournal);
      journalled.push(hashes.length, gateway.posted.length);
    });
    expect(journalled).toEqual([2, 0]);
    const failing = market.assert(requestFor(guid), () => Promise.reject(new Error("disk full")));
    await expect(failing).rejects.toThrow("disk full");
    expect(gateway.posted).toHaveLength(2);
    await market.assert(requestFor(guid), noJournal);
    expect(sent()).toEqual([`0 ${APPROVE}`, `1 ${ASSERT}`, `2 ${APPROVE}`, `3 ${ASSERT}`]);
  });

  it.each<[string, (transactions: Built[]) => Built[]]>([
    ["a foreign spender", ([a, b]) => [{ ...a!, data: a!.data.replace("0b0717", "0b0718") }, b!]],
    ["a transfer instead", ([a, b]) => [{ ...a!, data: a!.data.replace(APPROVE, "a9059cbb") }, b!]],
    ["another chain", ([a, b]) => [{ ...a!, chainId: 1 }, b!]],
    ["an extra transaction", ([a, b]) => [a!, a!, b!]],
    ["ether sent along", ([a, b]) => [a!, { ...b!, value: 1 }]],
  ])("is refused, and nothing is sent, when the gateway hands over %s", async (_name, change) => {
    gateway.on(BUILD, (asked) => gateway.build(asked, change));
    const outcome = await market.assert(requestFor(guid), noJournal);
    expect(outcome).toMatchObject({
      kind: "failed",
      retryable: false,
      reason: expect.stringMatching(/^Refused to sign/),
    });
    expect(gateway.requests("POST /transactions")).toEqual([]);
  });

  it("is built once more with the new fee when the fee changed under way, and the journal learns of it", async () => {
    gateway.fee = 40000000000000001n;
    shown(0);
    const fees: bigint[] = [];
    const outcome = await market.assert(requestFor(guid), (_hashes, fee) => void fees.push(fee));
    expect(outcome).toMatchObject({ kind: "done" });
    expect(fees).toEqual([40000000000000001n]);
    await expect.poll(() => market.parameters().assertionFee).toBe(40000000000000001n);
    expect(gateway.requests(BUILD)).toHaveLength(2);
    expect(gateway.posted).toHaveLength(2);
  });

  it("that could only lose its bids is not even asked for", async () => {
    for (const wrong of [{ mask: 0n }, { mask: 4n }, { mask: 3n }, { bids: [] }]) {
      const outcome = await market.assert({ ...requestFor(guid), ...wrong }, noJournal);
      expect(outcome).toMatchObject({ kind: "failed", retryable: false });
    }
    expect(gateway.requests(BUILD)).toEqual([]);
  });

  it("of many bounties at once stay pairs in nonce order", async () => {
    const guids = Array.from({ length: 20 }, (_, index) => uintToGuid(BigInt(index + 1)));
    await Promise.all(guids.map((id, index) => market.assert(requestFor(id, BigInt(index + 1)), noJournal)));
    expect(sent()).toEqual(
      guids.flatMap((_, index) => [`${2 * index} ${APPROVE}`, `${2 * index + 1} ${ASSERT}`]),
    );
    const pairs = gateway.posted.map((raw) => Buffer.from(transactionOf(raw).data));
    for (let index = 0; index < pairs.length; index += 2) {
      const approved = BigInt(`0x${pairs[index]!.subarray(36, 68).toString("hex")}`);
      const bid = BigInt(`0x${pairs[index + 1]!.subarray(-32).toString("hex")}`);
      expect(approved).toBe(bid + PARAMETERS.assertion_fee);
    }
  });
});

describe("a transaction", () => {
  it("that the node knows already is sent", async () => {
    shown(0);
    gateway.once("POST /transactions", (asked) => {
      gateway.take(bodyOf(asked));
      return nodeSays("known transaction: 4f0c");
    });
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
  });

  it("whose nonce is too low is signed anew after asking the node, once", async () => {
    shown(0);
    gateway.once("POST /transactions", () => {
      gateway.nonce = 41n;
      return nodeSays("nonce too low");
    });
    const hashes: string[] = [];
    const outcome = await market.assert(
      requestFor(guid),
      (signed) => void hashes.push(...signed.map(({ hash }) => hash)),
    );
    expect(outcome).toMatchObject({ kind: "done" });
    expect(sent()).toEqual([`41 ${APPROVE}`, `42 ${ASSERT}`]);
    expect(hashes).toHaveLength(4);

    gateway.on("POST /transactions", nodeSays("nonce too low"));
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({
      kind: "failed",
      retryable: true,
    });
    expect(gateway.requests("POST /transactions")).toHaveLength(5);
  });

  it("that got lost in transit is posted again byte for byte, never as another one", async () => {
    shown(0);
    const seen: string[] = [];
    const swallow = (asked: Asked): Deed => {
      seen.push(bodyOf(asked));
      return "reset";
    };
    gateway.once("POST /transactions", swallow, swallow);
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
    expect(seen).toEqual([gateway.posted[0], gateway.posted[0]]);
    expect(sent()).toEqual([`0 ${APPROVE}`, `1 ${ASSERT}`]);
  });

  it("of which no answer ever came is looked up by its hash", async () => {
    const settle = (deed: (asked: Asked) => Deed) => {
      gateway.on("POST /transactions", deed);
      return market.settle(guid, noJournal);
    };
    const lost = await settle(() => "reset");
    expect(lost).toMatchObject({ kind: "unknown", reason: expect.stringContaining("timeout") });
    const arrived = await settle((asked) => {
      gateway.take(bodyOf(asked));
      return "reset";
    });
    expect(arrived).toEqual({ kind: "done", value: { payout: 0n } });
  });

  it("that was lost goes on being posted, byte for byte, while its fate is unknown", async () => {
    const seen = new Set<string>();
    const swallow = (asked: Asked): Deed => {
      seen.add(bodyOf(asked));
      return "reset";
    };
    gateway.once("POST /transactions", swallow, swallow, swallow, swallow);
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "done" });
    expect([...seen]).toEqual(gateway.posted);
  });

  it("is left to its fate when we leave the market while it waits", async () => {
    gateway.on("GET /transactions", "hang");
    const waiting = gateway.arrival("GET /transactions");
    const settling = market.settle(guid, noJournal);
    await waiting;
    await market[Symbol.asyncDispose]();
    expect(await settling).toMatchObject({ kind: "unknown" });
  });

  it("whose receipt nobody can be asked for, because a proxy drops the question, is unknown with that reason", async () => {
    gateway.on(
      "GET /transactions",
      refusal(400, { status: "FAIL", errors: "Invalid JSON: data must be object" }),
    );
    const reason = expect.stringContaining("drops the body of GET requests");
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "unknown", reason });
  });

  it("that certainly did not arrive leaves its nonce to the next, and the look-up knows", async () => {
    gateway.once("POST /transactions", nodeSays("insufficient funds for gas * price + value"));
    const hashes: string[] = [];
    const outcome = await market.assert(
      requestFor(guid),
      (signed) => void hashes.push(...signed.map(({ hash }) => hash)),
    );
    expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining("insufficient funds") });
    expect(await market.lookUp(hashes)).toMatchObject({ kind: "failed", retryable: true });
    await market.settle(guid, noJournal);
    expect(sent()).toEqual(["0 5592d687"]);
  });

  it("that is signed again with the nonce it was given back is not taken for never sent", async () => {
    gateway.once("POST /transactions", nodeSays("insufficient funds"));
    const hashes: string[] = [];
    const settle = () => market.settle(guid, (signed) => void hashes.push(...signed.map(({ hash }) => hash)));
    expect(await settle()).toMatchObject({ kind: "failed" });
    expect(await settle()).toMatchObject({ kind: "done" });
    expect(new Set(hashes).size).toBe(1);
    expect(await market.lookUp(hashes)).toMatchObject({ kind: "done" });
  });

  it("that was signed several times is done when one of them was mined, whatever became of the others", async () => {
    const hash = (digit: string) => digit.repeat(64);
    const reverted = `transaction ${hash("a")}: transaction failed at block 9, error: No Quorum and vote active`;
    const late = `transaction ${hash("b")}: timeout during wait for receipt`;
    const transfers = [{ from: wallet.address, to: wallet.address, value: "3000000000000000001" }];
    const receipts = (errors: string[], events: object = {}) =>
      gateway.on("GET /transactions", refusal(400, { status: "FAIL", errors: { ...events, errors } }));
    receipts([reverted], { transfers });
    const done = { kind: "done", value: { payout: 3000000000000000001n } };
    expect(await market.lookUp([`0x${hash("a")}`, `0x${hash("c")}`])).toEqual(done);
    receipts([reverted, late]);
    expect(await market.lookUp([`0x${hash("a")}`, `0x${hash("b")}`])).toMatchObject({ kind: "unknown" });
  });

  it.each<[string, Deed]>([
    ["fails in a way of its own", refusal(500, { status: "FAIL", errors: { message: "no node" } })],
    ["fails without a word", refusal(400, { status: "FAIL", errors: { transfers: [], errors: [] } })],
    ["says nothing of it", { result: {} }],
  ])("is not taken for mined because the answer to the question %s", async (_what, answer) => {
    gateway.on("GET /transactions", answer);
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "unknown" });
  });

  it("is not called never sent because a second attempt was refused, when the first may have arrived", async () => {
    let arrived = false;
    gateway.on("POST /transactions", ({ body }) => {
      if (arrived) return nodeSays("insufficient funds for gas * price + value");
      arrived = true;
      gateway.take((body as { transactions: string[] }).transactions[0] ?? "");
      return "reset";
    });
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "done" });
  });

  it("has its nonce although the artifacts that others wait for do not come", async () => {
    gateway.on("GET /artifacts/Qm/0", "hang");
    const leave = new AbortController();
    const reads = Array.from({ length: 100 }, () =>
      market.artifactHead("Qm", 0, 1, leave.signal).catch(noJournal),
    );
    expect(await market.settle(guid, noJournal, AbortSignal.timeout(240_000))).toMatchObject({
      kind: "done",
    });
    leave.abort();
    await Promise.all(reads);
  });

  it("is built and sent although the gateway holds back the receipts of many others", async () => {
    gateway.on("GET /transactions", "hang");
    const leave = new AbortController();
    const held = Array.from({ length: 100 }, () =>
      market.lookUp([`0x${"a".repeat(64)}`], leave.signal).catch(noJournal),
    );
    const settling = market.settle(guid, noJournal, leave.signal);
    await expect.poll(() => sent()).toEqual(["0 5592d687"]);
    leave.abort();
    expect(await settling).toMatchObject({ kind: "unknown" });
    await Promise.all(held);
  });

  it("that waits for its receipt is left for the next start when we stop and the gateway is gone", async () => {
    await using patient = await openOddMarket({ receiptPatienceMs: 3_600_000 });
    patient.gateway.on("GET /transactions", ({ body }) => {
      const [hash = ""] = (body as { transactions: string[] }).transactions;
      const errors = [`transaction ${hash.slice(2)}: receipt not available`];
      return refusal(400, { status: "FAIL", errors: { errors } });
    });
    const asked = patient.gateway.arrival("GET /transactions");
    const settling = patient.market.settle(guid, noJournal);
    await asked;
    patient.market.leave();
    await patient.gateway[Symbol.asyncDispose]();
    expect(await settling).toMatchObject({
      kind: "unknown",
      reason: expect.stringMatching("cannot be reached"),
    });
  });

  it("without a receipt is unknown, and the nonces are asked for again", async () => {
    gateway.on("GET /transactions", (asked) => {
      const [hash = ""] = (asked.body as { transactions: string[] }).transactions;
      const errors = [`transaction ${hash.slice(2)}: timeout during wait for receipt`];
      return refusal(400, { status: "FAIL", errors: { errors } });
    });
    const outcome = await market.assert(requestFor(guid), noJournal);
    expect(outcome).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("timeout during wait"),
    });
    gateway.nonce = 9n;
    await market.settle(guid, noJournal);
    expect(sent().at(-1)).toBe("9 5592d687");
  });

  it("without a receipt is done when the market shows what it did", async () => {
    gateway.on("GET /transactions", { status: 502, text: "<html>Bad gateway</html>" });
    shown(0);
    expect(await market.assert(requestFor(guid), noJournal)).toEqual({ kind: "done", value: { index: 0 } });
    gateway.on(`GET /bounties/${guid}/assertions/0`, {
      result: { ...ours, nonce: "5", verdicts: [true, false] },
    });
    const reveal = { guid, index: 0, nonce: 5n, verdicts: 1n, artifactCount: 2, metadata: "" };
    expect(await market.reveal(reveal, noJournal)).toEqual({ kind: "done", value: undefined });
  });

  it.each([
    ["Bounty inactive", false],
    ["No Quorum and vote active", true],
    ["Invalid revert encoding", true],
  ])("that reverted with '%s' has failed with that reason", async (why, retryable) => {
    gateway.on("GET /transactions", (asked) => {
      const [hash = ""] = (asked.body as { transactions: string[] }).transactions;
      const errors = [`transaction ${hash.slice(2)}: transaction failed at block 10234, error: ${why}`];
      return refusal(400, { status: "FAIL", errors: { transfers: [], errors } });
    });
    const outcome = await market.settle(guid, noJournal);
    expect(outcome).toEqual({ kind: "failed", reason: `The transaction reverted: ${why}.`, retryable });
  });

  it.each([
    "transaction H: receipt not available",
    "transaction H: unexpected error while fetching transaction receipt",
    "transaction H: transaction failed at block 7, error: Transaction receipt indicates failure but trace succeeded",
    "something about nobody in particular",
  ])("is asked for again after '%s'", async (text) => {
    gateway.once("GET /transactions", (asked) => {
      const [hash = ""] = (asked.body as { transactions: string[] }).transactions;
      return refusal(400, { status: "FAIL", errors: { errors: [text.replace("H", hash.slice(2))] } });
    });
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "done" });
    expect(gateway.requests("GET /transactions")).toHaveLength(2);
  });

  it("that ran out of gas has failed, and would again", async () => {
    gateway.on("GET /transactions", (asked) => {
      const [hash = ""] = (asked.body as { transactions: string[] }).transactions;
      return refusal(400, {
        status: "FAIL",
        errors: { errors: [`transaction ${hash.slice(2)}: out of gas`] },
      });
    });
    expect(await market.settle(guid, noJournal)).toMatchObject({ kind: "failed", retryable: false });
  });

  it("pays what its transfers to us say, to the last digit", async () => {
    const to = (address: string, value: string) => ({ from: `0x${"22".repeat(20)}`, to: address, value });
    gateway.on("GET /transactions", {
      result: {
        transfers: [to(wallet.address.toLowerCase(), "5424999999999999997"), to(`0x${"33".repeat(20)}`, "9")],
        errors: [],
      },
    });
    expect(await market.settle(guid, noJournal)).toEqual({
      kind: "done",
      value: { payout: 5424999999999999997n },
    });
  });

  it("fills a gap in the node's pool first when it fits, and goes behind the pool when it does not", async () => {
    gateway.nonce = 4n;
    gateway.on("GET /pending", { result: ["5", "6"] });
    await market.settle(guid, noJournal);
    expect(sent()).toEqual(["4 5592d687"]);
  });

  it("that finds a gap too small for it fills it with its approval, so that nothing is stuck for ever", async () => {
    shown(0);
    gateway.nonce = 4n;
    gateway.on("GET /pending", { result: ["7", "5"] });
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
    expect(sent()).toEqual([`4 ${APPROVE}`, `6 ${APPROVE}`, `8 ${APPROVE}`, `9 ${ASSERT}`]);
    gateway.on("GET /pending", { result: [] });
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
    expect(sent().slice(4)).toEqual([`10 ${APPROVE}`, `11 ${ASSERT}`]);
  });

  it("fills no further gap once a filler was swallowed", async () => {
    shown(0);
    gateway.nonce = 4n;
    gateway.on("GET /pending", { result: ["7", "5"] });
    gateway.once("POST /transactions", "reset", "reset", "reset");
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
    expect(sent()).toEqual([`8 ${APPROVE}`, `9 ${ASSERT}`]);
  });

  it("is sent all the same when the gap was none after all", async () => {
    shown(0);
    gateway.nonce = 4n;
    gateway.on("GET /pending", { result: ["5"] });
    gateway.once("POST /transactions", nodeSays("nonce too low"));
    expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "done" });
    expect(sent()).toEqual([`6 ${APPROVE}`, `7 ${ASSERT}`]);
  });

  it("is not built from an answer that makes no sense", async () => {
    for (const result of [null, {}, { transactions: "none" }, { transactions: [{ nonce: 1 }] }]) {
      gateway.on(BUILD, { result });
      expect(await market.assert(requestFor(guid), noJournal)).toMatchObject({ kind: "failed" });
    }
    expect(gateway.posted).toEqual([]);
  });
});

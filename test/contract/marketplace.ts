import { describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import type {
  AssertionRequest,
  ContractEvents,
  Marketplace,
  RevealRequest,
} from "../../src/market/onchain/port/marketplace.ts";
import type { SignedTransaction } from "../../src/wallet/transaction.ts";

/** What a test does beside the market: everything that is not asked of the port. */
export interface MarketScene extends AsyncDisposable {
  readonly market: Marketplace;
  /** Posts a bounty of two artifacts that takes assertions for long, and that nobody of ours has answered. */
  post(): Promise<Guid>;
  /** A good answer: both artifacts, the first of them malicious. */
  answerTo(guid: Guid): AnswerToBounty;
  /** Lets blocks pass until it can be revealed, or until the arbiters have decided and it can be settled. */
  skipTo(guid: Guid, round: "reveal" | "settle"): Promise<void>;
  /** Resolves with what the promise comes to, and lets blocks pass until then. */
  during<T>(work: Promise<T>): Promise<T>;
  /** Has other transactions of our account mined, with the next two of its nonces. */
  useNonces(): Promise<void>;
}

export interface AnswerToBounty {
  readonly request: AssertionRequest;
  reveal(index: number): RevealRequest;
}

type Open = () => Promise<MarketScene>;

/** What every marketplace promises an engine (`src/market/onchain/port/marketplace.ts`). A double that plays a part of it only is held to that part. */
export function describeMarketplace(kind: string, open: Open): void {
  describeBlocks(kind, open);
  describeSigning(kind, open);
  describeRecord(kind, open);
  describeResending(kind, open);
}

/** Blocks as they are told, and listeners. */
export function describeBlocks(kind: string, open: Open): void {
  const next = <Name extends keyof ContractEvents>(market: Marketplace, name: Name) =>
    new Promise<ContractEvents[Name]>((resolve) => {
      const off = market.on(name, (...told) => {
        off();
        resolve(told);
      });
    });

  describe(`blocks of ${kind}`, () => {
    it("are told one after the other, and known before they are told", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const heads: number[] = [];
      const off = market.on("block", ({ number }) => heads.push(market.head() - number));
      const [first] = await during(next(market, "block"));
      const [second] = await during(next(market, "block"));
      off();
      expect(second.number).toBeGreaterThan(first.number);
      expect(Math.min(...heads)).toBeGreaterThanOrEqual(0);
      expect(await during(market.freshHead())).toBeGreaterThanOrEqual(second.number);
    });

    it("are told to nobody who has stopped listening", async () => {
      await using scene = await open();
      const { market, during } = scene;
      let heard = 0;
      const off = market.on("block", () => heard++);
      await during(next(market, "block"));
      off();
      const before = heard;
      await during(next(market, "block"));
      expect(heard).toBe(before);
    });
  });
}

/** What is signed, and when. */
export function describeSigning(kind: string, open: Open): void {
  describe(`signing for ${kind}`, () => {
    it("is journalled before an action ends: an approval and an assertion, with two nonces in a row, at the fee asked for", async () => {
      await using scene = await open();
      const guid = await scene.post();
      const { request } = scene.answerTo(guid);
      const journal: { nonces: bigint[]; fee: bigint }[] = [];
      const outcome = await scene.during(
        scene.market.assert(request, (signed, fee) => {
          journal.push({ nonces: signed.map(({ nonce }) => nonce), fee });
        }),
      );
      expect(outcome).toMatchObject({ kind: "done", value: { index: expect.any(Number) } });
      const [entry] = journal;
      expect(journal).toHaveLength(1);
      expect(entry!.nonces[1]! - entry!.nonces[0]!).toBe(1n);
      expect(entry!.nonces).toHaveLength(2);
      expect(entry!.fee).toBe(request.fee);
    });

    it("fails with the journal, and waits for it", async () => {
      await using scene = await open();
      const guid = await scene.post();
      const { promise, reject } = Promise.withResolvers<void>();
      let asked = false;
      const asserting = scene.market.assert(scene.answerTo(guid).request, () => {
        asked = true;
        reject(new Error("the disk is full"));
        return promise;
      });
      await expect(scene.during(asserting)).rejects.toThrow("the disk is full");
      expect(asked).toBe(true);
    });
  });
}

const hashesOf = (signed: readonly SignedTransaction[]) => signed.slice(-1).map(({ hash }) => hash);

/** What the market shows of what was done. */
export function describeRecord(kind: string, open: Open): void {
  describe(`the record of ${kind}`, () => {
    it("shows an assertion in its place, then its reveal, and pays out once", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const { request, reveal } = scene.answerTo(guid);
      expect(await during(market.ownAssertions(guid))).toEqual([]);

      const signed: SignedTransaction[][] = [];
      const keep = (transactions: readonly SignedTransaction[]) => void signed.push([...transactions]);
      const asserted = await during(market.assert(request, keep));
      const index = asserted.kind === "done" ? asserted.value.index : -1;
      const { bids, mask, commitment } = request;
      const ours = { guid, author: market.account, index, bids, mask, commitment };
      expect(await during(market.ownAssertions(guid))).toEqual([{ ...ours, revealed: false }]);
      expect(await during(market.lookUp(hashesOf(signed[0]!)))).toMatchObject({
        kind: "done",
        value: { index },
      });

      await scene.skipTo(guid, "reveal");
      expect(await during(market.reveal(reveal(index), keep))).toEqual({ kind: "done", value: undefined });
      const { verdicts } = reveal(index);
      expect(await during(market.ownAssertions(guid))).toEqual([{ ...ours, revealed: true, verdicts }]);
      expect(await during(market.reveal(reveal(index), () => {}))).toEqual({
        kind: "done",
        value: undefined,
      });

      await scene.skipTo(guid, "settle");
      const settled = await during(market.settle(guid, keep));
      expect(settled).toMatchObject({ kind: "done" });
      const payout = settled.kind === "done" ? settled.value.payout : 0n;
      expect(payout).toBeGreaterThan(0n);
      expect(await during(market.lookUp(hashesOf(signed.at(-1)!)))).toMatchObject({
        kind: "done",
        value: { payout },
      });
      expect(await during(market.settle(guid, () => {}))).toMatchObject({
        kind: "failed",
        retryable: false,
        reason: expect.stringContaining("already settled"),
      });
    });

    it("has an assertion once: asked for again, it is the one that stands", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const { request } = scene.answerTo(guid);
      const first = await during(market.assert(request, () => {}));
      expect(first.kind).toBe("done");
      expect(await during(market.assert(request, () => {}))).toEqual(first);
      expect(await during(market.ownAssertions(guid))).toHaveLength(1);
    });

    it("takes no reveal before its window and no settlement before its time", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const { request, reveal } = scene.answerTo(guid);
      const asserted = await during(market.assert(request, () => {}));
      const index = asserted.kind === "done" ? asserted.value.index : -1;
      const tooEarly = { kind: "failed", retryable: true };
      expect(await during(market.reveal(reveal(index), () => {}))).toMatchObject(tooEarly);
      expect(await during(market.settle(guid, () => {}))).toMatchObject(tooEarly);
      expect(await during(market.ownAssertions(guid))).toMatchObject([{ revealed: false }]);
    });

    it("counts the transactions of our account as sent and as mined", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const before = await during(market.minedCount());
      expect(await during(market.transactionCount())).toBe(before);
      await during(market.assert(scene.answerTo(guid).request, () => {}));
      expect(await during(market.minedCount())).toBe(before + 2n);
      expect(await during(market.transactionCount())).toBe(before + 2n);
    });
  });
}

/** Signed before a crash, and not sent. */
export function describeResending(kind: string, open: Open): void {
  const signAndCrash = async (scene: MarketScene, guid: Guid): Promise<readonly SignedTransaction[]> => {
    let signed: readonly SignedTransaction[] = [];
    const crashing = scene.market.assert(scene.answerTo(guid).request, (transactions) => {
      signed = transactions;
      throw new Error("crash");
    });
    await expect(scene.during(crashing)).rejects.toThrow("crash");
    return signed;
  };

  describe(`what was signed for ${kind} before a crash`, () => {
    it("was not sent, and is done once, however often it is sent then", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const signed = await signAndCrash(scene, guid);
      expect(await during(market.ownAssertions(guid))).toEqual([]);
      for (let time = 0; time < 2; time++)
        expect(await during(market.resend(signed))).toEqual({ kind: "sent" });
      const found = async () => (await during(market.lookUp(hashesOf(signed)))).kind;
      await expect.poll(found).toBe("done");
      expect(await during(market.resend(signed))).toEqual({ kind: "sent" });
      expect(await during(market.ownAssertions(guid))).toHaveLength(1);
    });

    it("is void once its nonces were used by another, and what is signed anew is done", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const signed = await signAndCrash(scene, guid);
      await scene.useNonces();
      expect(await during(market.resend(signed))).toMatchObject({ kind: "void" });
      expect(await during(market.ownAssertions(guid))).toEqual([]);
      expect(await during(market.assert(scene.answerTo(guid).request, () => {}))).toMatchObject({
        kind: "done",
      });
    });

    it("is asked for from the first nonce that is not mined, and sent in the order of its nonces", async () => {
      await using scene = await open();
      const { market, during } = scene;
      const guid = await scene.post();
      const [approval, assertion] = await signAndCrash(scene, guid);
      const asked: bigint[] = [];
      const sent = market.resendAll((nonce) => {
        asked.push(nonce);
        return [[assertion!], [approval!]];
      });
      expect(await during(sent)).toBe(2);
      expect(asked).toEqual([approval!.nonce]);
      const found = async () => (await during(market.lookUp(hashesOf([assertion!])))).kind;
      await expect.poll(found).toBe("done");
    });
  });
}

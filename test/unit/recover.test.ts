import { describe, expect, it } from "vitest";
import type { Bounty } from "../../src/domain/bounty.ts";
import { Fault } from "../../src/domain/fault.ts";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import { type RecoveryParts, recoverBounty } from "../../src/market/onchain/recovery/recover-bounty.ts";
import { walk } from "../../src/market/onchain/recovery/walk.ts";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import { isAllRebuilt, recoveryJson, renderRecovery } from "../../src/producer/recover/outcome.ts";
import { RecoveryCounts } from "../../src/producer/recover/recovery-counts.ts";
import { guessFrom } from "../../src/producer/recover/rescan.ts";
import { aBounty, aPlan, GUID, someParameters } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const NONCE = 4711n;
const VERDICTS = 0b101n;
const KEY = { market: "side", guid: GUID } as const;
const never = new AbortController().signal;

/** A market with one bounty of three artifacts, on which our account said something about all of them. */
class LostMarket extends HandMarket {
  held: Bounty | null = aBounty({ artifactCount: 3 });
  override async bounty(): Promise<Bounty | null> {
    return this.held;
  }
}

function scene(verdicts = VERDICTS, mask = 0b111n) {
  const market = new LostMarket();
  const bids = mask
    .toString(2)
    .split("")
    .filter((bit) => bit === "1")
    .map(() => nct(ONE_NCT));
  const ours: PostedAssertion = {
    guid: GUID,
    author: market.account,
    index: 1,
    bids,
    mask,
    revealed: false,
    commitment: commitment(market.account, verdicts, NONCE),
  };
  market.listed = [{ ...ours, index: 0, author: aBounty().author, commitment: 9n }, ours];
  const ledger = openLedger(":memory:", { now: () => instant(5_000) });
  const told: (readonly [string, object])[] = [];
  const scans: bigint[] = [];
  const parts: RecoveryParts = {
    market,
    ledger,
    tries: 1_000,
    version: "1.2.3",
    clock: { now: () => instant(5_000) },
    tell: (event, facts) => told.push([event, facts]),
    nonceFor: () => NONCE,
    instantOf: (number) => instant(number),
    rescan: async (_, mask) => {
      scans.push(mask);
      return undefined;
    },
  };
  return { market, ledger, parts, ours, told, scans };
}

const look = ({ parts }: { parts: RecoveryParts }) => recoverBounty(parts, GUID, never);

/** What recovering writes; the rest of the row depends on it. */
const written = (ledger: Ledger) => ({ ...ledger.find(KEY), ...ledger.assertion(KEY) });

describe("a bounty with a lost assertion", () => {
  it("is written down as if the ledger had never been lost", async () => {
    const lost = scene();
    expect(await look(lost)).toBe("rebuilt");
    expect(written(lost.ledger)).toMatchObject({
      state: "asserted",
      index: 1,
      verdicts: VERDICTS,
      nonce: NONCE,
      mask: 0b111n,
      stake: 3n * ONE_NCT,
      fee: someParameters.assertionFee,
      payout: null,
      plannedAt: 1_020,
      metadata: [{ malware_family: "" }, { malware_family: "" }, { malware_family: "" }],
    });
    expect(lost.told).toEqual([
      ["recover.rebuilt", { guid: GUID, artifacts: 3, revealed: false, tries: expect.any(Number) }],
    ]);
  });

  it("is looked at once: what the ledger knows to be asserted is not asked for again", async () => {
    const lost = scene();
    await look(lost);
    const before = written(lost.ledger);
    lost.market.asked.length = 0;
    expect(await look(lost)).toBe("known");
    expect(lost.market.asked).toEqual([]);
    expect(written(lost.ledger)).toEqual(before);
  });

  it("that was revealed needs no search and no scan, however many artifacts it has", async () => {
    const verdicts = 0x5a5a5a5an;
    const lost = scene(verdicts, 0xffffffffn);
    lost.market.held = aBounty({ artifactCount: 32 });
    lost.market.listed = [{ ...lost.ours, revealed: true, verdicts }];
    expect(await look(lost)).toBe("rebuilt");
    expect(written(lost.ledger)).toMatchObject({ state: "revealed", verdicts });
    expect(lost.scans).toEqual([]);
  });

  it("on which arbiters agreed while nobody listened is known to be ready for settlement", async () => {
    const lost = scene();
    lost.market.listed = [{ ...lost.ours, revealed: true, verdicts: VERDICTS }];
    lost.market.quorum = true;
    await lost.market.mine(1_020 + someParameters.revealWindow);
    await look(lost);
    expect(lost.ledger.find(KEY)?.quorum).toBe(true);
  });

  it("takes up a plan whose posting the ledger has not heard of", async () => {
    const lost = scene();
    lost.ledger.see(aBounty({ artifactCount: 3 }));
    lost.ledger.advance(KEY, "distilled");
    const { commitment } = lost.ours;
    lost.ledger.planAssertion(KEY, aPlan({ commitment, mask: 0b111n, verdicts: VERDICTS, nonce: NONCE }));
    expect(await look(lost)).toBe("rebuilt");
    expect(written(lost.ledger)).toMatchObject({ state: "asserted", index: 1, fee: aPlan().fee });
  });

  it("is begun again where a producer abandoned it after the loss", async () => {
    const lost = scene();
    lost.ledger.see(aBounty({ artifactCount: 3 }));
    lost.ledger.advance(KEY, "distilled");
    lost.ledger.planAssertion(KEY, aPlan());
    lost.ledger.abandon(KEY, "post-failed");
    expect(await look(lost)).toBe("rebuilt");
    expect(written(lost.ledger)).toMatchObject({ state: "asserted", reason: null, verdicts: VERDICTS });
  });

  it("is left alone where the ledger has another answer that may still be posted", async () => {
    const lost = scene();
    lost.ledger.see(aBounty({ artifactCount: 3 }));
    lost.ledger.advance(KEY, "distilled");
    lost.ledger.planAssertion(KEY, aPlan());
    const before = written(lost.ledger);
    expect(await look(lost)).toBe("not-rebuilt");
    expect(lost.told[0]).toMatchObject(["recover.not-rebuilt", { guid: GUID, why: "ledger-differs" }]);
    expect(written(lost.ledger)).toEqual(before);
  });

  it("that another program made with this wallet is named and left alone", async () => {
    const lost = scene();
    lost.market.listed = [{ ...lost.ours, commitment: 12n }];
    expect(await look(lost)).toBe("not-rebuilt");
    expect(lost.told[0]).toMatchObject(["recover.not-rebuilt", { guid: GUID, why: "another-program" }]);
    const many = { mask: 2n ** 28n - 1n, revealed: true, verdicts: 0b111n };
    lost.market.listed = [{ ...lost.ours, commitment: 12n, ...many }];
    expect(await look(lost)).toBe("not-rebuilt");
    expect(lost.told[1]).toMatchObject(["recover.not-rebuilt", { why: "another-program" }]);
    expect(lost.scans).toEqual([]);
    expect(lost.ledger.find(KEY)).toBeUndefined();
  });

  it("of more than 20 artifacts is scanned anew when trying does not find them, and tried by the guess", async () => {
    const verdicts = 0b1010_1010_1010_1010_1010_1010_1010n;
    const lost = scene(verdicts, 2n ** 28n - 1n);
    lost.market.held = aBounty({ artifactCount: 28 });
    const doubtful = Array.from({ length: 28 }, (_, index) => index);
    const rescan = async () => ({ verdicts: verdicts ^ 0b100n, doubtful });
    expect(await look({ parts: { ...lost.parts, rescan } })).toBe("rebuilt");
    expect(written(lost.ledger)).toMatchObject({ verdicts });

    const blind = scene(verdicts, 2n ** 28n - 1n);
    expect(await look(blind)).toBe("not-rebuilt");
    expect(blind.scans).toEqual([2n ** 28n - 1n]);
    expect(blind.told.at(-1)).toMatchObject(["recover.not-rebuilt", { why: "too-many" }]);
  });

  it("is scanned anew for half of the time there is to reveal it, and at leisure when that is over", async () => {
    const lost = scene(0n, 2n ** 28n - 1n);
    const limits: unknown[] = [];
    const rescan: RecoveryParts["rescan"] = async (_bounty, _mask, before) => void limits.push(before);
    // A block a second, and 30 of them and a millisecond until the window closes. Deadlines are whole milliseconds.
    const parts = { ...lost.parts, rescan, instantOf: (at: number) => instant(5_001 + (at - 1_000) * 1_000) };
    lost.market.listed = [{ ...lost.ours, commitment: 12n }];
    await look({ parts });
    await lost.market.mine(1_020 + someParameters.revealWindow);
    await look({ parts });
    expect(limits).toEqual([20_000, undefined]);
  });

  it("of somebody else is nothing to us", async () => {
    const lost = scene();
    lost.market.listed = lost.market.listed.slice(0, 1);
    expect(await look(lost)).toBe("not-ours");
    expect(lost.told).toEqual([]);
  });

  it("is named when the marketplace would not say, and does not keep the others waiting", async () => {
    const lost = scene();
    lost.market.assertions = () =>
      Promise.reject(new Fault("MARKET_ANSWER_UNREADABLE", "It makes no sense."));
    expect(await look(lost)).toBe("unread");
    expect(lost.told).toMatchObject([["recover.unread", { guid: GUID, reason: "It makes no sense." }]]);
  });
});

describe("the walk through all bounties", () => {
  const guids = Array.from({ length: 200 }, (_, index) =>
    parseGuid(`00000000-0000-4000-8000-${String(index).padStart(12, "0")}`),
  );
  class LongMarket extends HandMarket {
    override posted = guids;
    /** Bounty n was posted in block 10 n; every third takes assertions for as long as can be. */
    readonly expirationOf = (guid: Guid): number => {
      const index = guids.indexOf(guid);
      return 10 * index + (index % 3 === 0 ? someParameters.maxDuration : 5);
    };
    override async bounty(guid: Guid): Promise<Bounty> {
      return aBounty({ guid, expiration: block(this.expirationOf(guid)) });
    }
  }

  it("goes from the newest to the oldest, and leaves none out", async () => {
    const visited: Guid[] = [];
    const visit = async (guid: Guid) => void visited.push(guid);
    await walk({ market: new LongMarket(), blocks: undefined, visit }, never);
    expect(visited.toSorted()).toEqual(guids);
    expect(visited.slice(0, 8).toSorted()).toEqual(guids.slice(-8));
  });

  it("leaves none out that a node which lags left out of a page before the end", async () => {
    const market = new LongMarket();
    const pages: number[] = [];
    const bountyPage = market.bountyPage.bind(market);
    market.bountyPage = async (page) => {
      pages.push(page);
      const read = pages.filter((number) => number === page).length;
      // The first time it was full, for the end of the list was looked for behind it.
      return (await bountyPage(page)).slice(0, page === 1 && read === 2 ? 30 : undefined);
    };
    const visited: Guid[] = [];
    await walk({ market, blocks: undefined, visit: async (guid) => void visited.push(guid) }, never);
    expect(visited.toSorted()).toEqual(guids);
  });

  it("visits what expired within so many blocks, and asks for little beyond", async () => {
    const market = new LongMarket();
    const asked: Guid[] = [];
    const bounty = market.bounty.bind(market);
    market.bounty = (guid) => {
      asked.push(guid);
      return bounty(guid);
    };
    await market.mine(2_050);
    const visited: Guid[] = [];
    await walk({ market, blocks: 500, visit: async (guid) => void visited.push(guid) }, never);
    const due = guids.filter((guid) => market.expirationOf(guid) >= 1_550);
    expect(visited.toSorted()).toEqual(due);
    // What was posted a longest duration before the horizon, and what is looked at side by side.
    expect(asked.length).toBeLessThan((2_050 - 1_550 + 2 * someParameters.maxDuration) / 10 + 16);
  });
});

describe("what a run came to", () => {
  const outcome = () => {
    const counts = new RecoveryCounts();
    for (const result of ["not-ours", "known", "rebuilt", "rebuilt"] as const) counts.look(result);
    counts.hear("assertion.reveal-missed", { guid: GUID, stake: "1" });
    counts.settled(nct(ONE_NCT + 1n));
    counts.settled(null);
    return { counts, end: counts.outcome("0xabc", 1) };
  };

  it("adds up, with an amount to the last digit", () => {
    expect(recoveryJson(outcome().end)).toBe(
      `{"account":"0xabc","looked":4,"assertions":3,"known":1,"rebuilt":2,"notRebuilt":0,"unread":0,"open":1,"complete":true,"revealed":0,"missed":1,"settled":1,"settledBefore":1,"payoutNct":1.000000000000000001}`,
    );
  });

  it("does not call a reveal missed that was made after all", () => {
    const { counts } = outcome();
    counts.hear("assertion.revealed", { guid: GUID, index: 0 });
    expect(counts.outcome("0xabc", 0)).toMatchObject({ missed: 0, revealed: 1 });
  });

  it("ends with a sentence about what is to be done", () => {
    const { end } = outcome();
    const sentence = (changes: Partial<typeof end>) =>
      renderRecovery({ ...end, ...changes })
        .split("\n")
        .at(-2);
    expect(sentence({})).toContain("a producer sees to the 1 still open");
    expect(sentence({ open: 0 })).toContain("Every assertion is in the ledger");
    expect(sentence({ assertions: 0 })).toContain("no assertion of 0xabc on any");
    expect(sentence({ notRebuilt: 1 })).toContain("could not be rebuilt");
    expect(sentence({ unread: 1 })).toContain("run this again");
    expect(sentence({ complete: false })).toContain("run this again");
    expect(
      [end, { ...end, notRebuilt: 1 }, { ...end, unread: 1 }, { ...end, complete: false }].map(isAllRebuilt),
    ).toEqual([true, false, false, false]);
  });
});

it("a guess takes the likelier verdict of each artifact, and doubts the least confident first", () => {
  const opinion = (index: number, percent: number) => {
    const probability = percent * 10_000;
    return { index, opinion: { probability, confidence: Math.abs(2 * probability - 1_000_000) } as never };
  };
  expect(guessFrom([opinion(0, 99), opinion(3, 50), opinion(4, 20), opinion(9, 100)])).toEqual({
    verdicts: 0b10_0000_0001n,
    doubtful: [3, 4, 0, 9],
  });
});

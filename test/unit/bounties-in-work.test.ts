import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { noOpinion } from "../../src/domain/opinion.ts";
import { scanJobId } from "../../src/domain/scan.ts";
import { ppm } from "../../src/domain/verdict.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { detailsOf, expirationOf } from "../../src/market/onchain/port/details.ts";
import { BountiesInWork, type BountiesInWorkParts } from "../../src/producer/answering/bounties-in-work.ts";
import type { Tell } from "../../src/producer/events/events.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import type { ScanQueue } from "../../src/queue/port.ts";
import { aBounty, GUID, noticeOf } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";
import { hearingCollector } from "../fixtures/queue/hearing-collector.ts";
import { plainQueue } from "../fixtures/queue/plain-queue.ts";
import { slowCondition } from "../fixtures/slow-condition.ts";

const clock = { now: () => instant(1_000) };

/** Whoever has no limits may stake what the purse holds. */
const unlimited: BountiesInWorkParts["limiter"] = {
  paused: () => undefined,
  allow: (_chain, { balance }) => ({ kind: "stake", most: balance, bound: "balance" }),
};

function openBounties(bounty = aBounty(), more: Partial<BountiesInWorkParts> = {}) {
  const { queue = plainQueue("silent") } = more;
  const market = new HandMarket();
  market.bounty = async () => bounty;
  market.listArtifacts = async () => [{ name: "0", hash: "Qm0" }];
  const ledger = openLedger(":memory:", clock);
  const reservations = new BalanceReservations(() => market.balance(), clock);
  const told: [string, object][] = [];
  const tell: Tell = (event, facts) => void told.push([event, facts]);
  const duties = onchainDuties({ market, ledger, reservations, clock, tell });
  duties.listen();
  const answered = onchainMarket(market, { ledger, clock, tell });
  const inWork = new BountiesInWork({
    market: answered,
    ledger,
    reservations,
    clock,
    tell,
    queue,
    limiter: unlimited,
    collector: hearingCollector(queue, clock, () => {}),
    duties,
    rules: {
      artifactKinds: ["file"],
      maxSizeBytes: 1_000,
      backends: [{ name: "any", accepts: { kinds: ["file"] } }],
      routes: [],
    },
    distill: () => {
      throw new Error("nothing was answered");
    },
    strategy: { name: "none", bid: () => [] },
    version: "0.0.0",
    ...more,
  });
  inWork.listen();
  const { guid, kind, uri, details } = bounty;
  const notice = { guid, kind, uri, details };
  const dispatched = () => expect.poll(() => ledger.find(bounty)?.state).toBe("dispatched");
  const count = (name: string) => told.filter(([event]) => event === name).length;
  return { market, answered, ledger, told, inWork, bounty, notice, dispatched, count };
}

it("does not begin a bounty again that it heard of before it took up those of the earlier run", async () => {
  const { inWork, notice, dispatched, count } = openBounties();
  inWork.hear(notice);
  await dispatched();
  expect(inWork.resume()).toBe(0);
  await inWork.stop();
  expect(count("bounty.dispatched")).toBe(1);
});

it("takes up a bounty that was found, and once, also when its event comes after all", async () => {
  const { ledger, inWork, bounty, notice, dispatched, count } = openBounties();
  expect(inWork.take(bounty)).toBe(true);
  // Whoever found it relies on the ledger to have it.
  expect(ledger.find(bounty)?.state).toBe("seen");
  expect(inWork.has(GUID)).toBe(true);
  inWork.hear(notice);
  expect(inWork.take(bounty)).toBe(false);
  await dispatched();
  await inWork.stop();
  expect(inWork.take(bounty)).toBe(false);
  expect([count("bounty.seen"), count("bounty.dispatched")]).toEqual([1, 1]);
});

it("leaves alone what may carry an answer of ours, heard or found", async () => {
  const { answered, ledger, inWork, bounty, notice, dispatched } = openBounties();
  let withheld = true;
  answered.withholds = (guid) => guid === GUID && withheld;
  expect([inWork.hear(notice), inWork.take(bounty), ledger.find(bounty)]).toEqual([false, false, undefined]);
  withheld = false;
  expect(inWork.hear(notice)).toBe(true);
  await dispatched();
  await inWork.stop();
});

it("has a bounty that came whole in the ledger before it says that it takes it up", async () => {
  const { ledger, inWork, bounty, notice } = openBounties();
  expect(inWork.hear({ ...notice, whole: bounty })).toBe(true);
  expect(ledger.find(bounty)?.state).toBe("seen");
  expect(inWork.hear({ ...notice, whole: bounty })).toBe(false);
  await inWork.stop();
});

it.each([30, -3])(
  "stakes nothing on a bounty whose event tells another expiration than the market, by %i blocks",
  async (blocks) => {
    const { ledger, inWork, bounty, notice, count } = openBounties();
    inWork.hear({ ...notice, details: detailsOf(expirationOf(bounty) + blocks) });
    await expect.poll(() => count("bounty.abandoned")).toBe(1);
    expect(ledger.find(bounty)).toMatchObject({ state: "abandoned", reason: "market-failed" });
    // The list of bounties does not bring it up again.
    expect(inWork.take(bounty)).toBe(false);
  },
);

it("asks again when the market tells another expiration than the event, and goes on when it agrees", async () => {
  const { market, ledger, inWork, bounty, notice, dispatched } = openBounties();
  const answers = [detailsOf(expirationOf(bounty) + 30)];
  market.bounty = async () => ({ ...bounty, details: answers.shift() ?? bounty.details });
  inWork.hear(notice);
  await dispatched();
  expect(ledger.find(bounty)?.bounty.details).toEqual(bounty.details);
  await inWork.stop();
});

it("stakes nothing on a bounty from the list that the market tells otherwise about when asked again", async () => {
  const { market, ledger, inWork, bounty, count } = openBounties();
  expect(inWork.take({ ...bounty, details: detailsOf(expirationOf(bounty) + 30) })).toBe(true);
  await expect.poll(() => count("bounty.abandoned")).toBe(1);
  expect(ledger.find(bounty)).toMatchObject({ state: "abandoned", reason: "market-failed" });
  expect(market.asked).toEqual([]);
});

it("stakes nothing on a bounty that is said to last longer than any may", async () => {
  const long = aBounty({ expiration: block(1_111) });
  const { ledger, inWork, notice, count } = openBounties(long);
  inWork.hear(notice);
  await expect.poll(() => count("bounty.abandoned")).toBe(1);
  expect(ledger.find(long)).toMatchObject({ state: "abandoned", reason: "market-failed" });
});

it("does what else is due between two texts of a stranger's that a modifier is slow to search", async () => {
  using slow = slowCondition();
  const claims = Array.from({ length: 40 }, (_, index) => ({ raw: { index } }));
  const listed = claims.map((_, index) => ({ name: `${index}`, hash: `Qm${index}` }));
  const heard: number[] = [];
  const { market, inWork, notice, count } = openBounties(aBounty({ artifactCount: 40, claims }), {
    queue: plainQueue("eager"),
    distill: () => ({
      ...noOpinion("somebody"),
      verdict: "malicious",
      confidence: ppm(0.9),
      probability: ppm(0.9),
    }),
    modifiers: [{ effect: "favor", condition: slow.condition }],
    strategy: {
      name: "silent",
      bid: ({ artifacts }) => {
        heard.push(...artifacts.map(({ confidence }) => confidence));
        return artifacts.map(() => null);
      },
    },
  });
  market.listArtifacts = async () => listed;
  inWork.hear(notice);
  await expect.poll(() => count("bounty.abandoned")).toBe(1);
  expect(heard).toEqual(claims.map(() => 980_000));
  expect(slow.counted()).toEqual({ asked: 40, inOneTurn: 1 });
});

it("has the queue forget what it need not know any more, and nothing that the next start asks for", async () => {
  const forgotten: string[] = [];
  const keen = (queue: ScanQueue): ScanQueue => ({
    ...queue,
    forget: async (ids) => void forgotten.push(...ids),
  });
  const verdict = { verdict: "unknown", confidence: ppm(0), probability: ppm(0.5) } as const;
  const done = openBounties(aBounty(), {
    queue: keen(plainQueue("eager")),
    distill: () => ({ ...noOpinion("somebody"), ...verdict }),
  });
  done.inWork.hear(done.notice);
  await expect.poll(() => done.count("bounty.abandoned")).toBe(1);
  expect(forgotten).toEqual([scanJobId("side", GUID, 0, "any")]);
  forgotten.length = 0;
  const stopped = openBounties(aBounty(), { queue: keen(plainQueue("silent")) });
  stopped.inWork.hear(stopped.notice);
  await stopped.dispatched();
  await stopped.inWork.stop();
  expect(forgotten).toEqual([]);
});

it("takes up nothing once it is stopped", async () => {
  const { ledger, inWork, bounty, notice } = openBounties();
  await inWork.stop();
  expect(inWork.take(bounty)).toBe(false);
  inWork.hear(notice);
  expect(inWork.inFlight()).toBe(0);
  expect(ledger.find(bounty)).toBeUndefined();
});

it("leaves a found bounty alone of which it has heard, or of a kind that nobody looks at", async () => {
  const { told, inWork, bounty, notice } = openBounties();
  inWork.hear(notice);
  expect(inWork.take(bounty)).toBe(false);
  await inWork.stop();
  const urls = openBounties(aBounty({ kind: "url" }));
  expect(urls.inWork.take(urls.bounty)).toBe(false);
  // It is told of once.
  urls.inWork.hear(urls.notice);
  expect(urls.told).toEqual([["bounty.skipped", { guid: GUID, why: "wrong-kind" }]]);
  expect(told).not.toContainEqual(["bounty.skipped", expect.anything()]);
});

describe("while its registry is deprecated, a desk", () => {
  it("takes up nothing, and lets go of what it had not planned yet", async () => {
    const { market, ledger, inWork, bounty, notice, count } = openBounties();
    market.tell("deprecated", { rollover: true, since: block(900) });
    inWork.hear(notice);
    expect(inWork.take(bounty)).toBe(false);
    expect(count("bounty.skipped")).toBe(1);
    ledger.see(bounty);
    expect(inWork.resume()).toBe(1);
    await expect.poll(() => ledger.find(bounty)).toMatchObject({ state: "abandoned", reason: "deprecated" });
    await inWork.stop();
  });

  it("takes up a bounty that was posted later, for the registry must take bounties again", async () => {
    const { market, answered, inWork, bounty, dispatched, count } = openBounties();
    await answered.begin(
      {
        has: (guid) => inWork.has(guid),
        hear: (notice) => inWork.hear(notice),
        release: () => {},
        open: () => {},
      },
      async () => undefined,
      new AbortController().signal,
    );
    market.tell("deprecated", { rollover: true, since: block(900) });
    market.tell("bounty", { ...noticeOf(bounty), postedIn: block(901) });
    await dispatched();
    await inWork.stop();
    expect(count("market.undeprecated")).toBe(1);
  });
});

it.each(["Qm not base58!", "bafybeiglyrzt", "Qm0", "x".repeat(100), "", "../nonces"])(
  "never asks about a bounty whose event names %j as its artifacts",
  async (uri) => {
    const { market, inWork, notice, told } = openBounties(aBounty({ uri }));
    let asked = 0;
    market.bounty = async () => {
      asked++;
      throw new Error("HTTP 500");
    };
    for (let time = 0; time < 3; time++) inWork.hear(notice);
    expect(told).toEqual([["bounty.skipped", { guid: GUID, why: "no-address" }]]);
    expect([asked, inWork.inFlight(), inWork.hasNoAddress(GUID)]).toEqual([0, 0, true]);
    await inWork.stop();
  },
);

it("stakes on no chunks of one large object as if they were artifacts, also when they were listed only after the scans", async () => {
  const chunks = ["Qm0", "Qm1", "Qm2"].map((hash) => ({ name: "", hash }));
  const { market, ledger, inWork, bounty, notice, told, count } = openBounties(aBounty({ artifactCount: 3 }));
  market.listArtifacts = async () => chunks;
  inWork.hear(notice);
  await expect.poll(() => ledger.find(bounty)?.state).toBe("abandoned");
  await inWork.stop();
  expect(told.find(([event]) => event === "bounty.abandoned")?.[1]).toMatchObject({
    why: "no-artifacts",
    detail: expect.stringContaining("chunks of one large object"),
  });
  expect(count("bounty.dispatched")).toBe(0);

  const later = openBounties(aBounty({ artifactCount: 3 }), {
    queue: plainQueue("eager"),
    distill: () => noOpinion("x"),
  });
  let listings = 0;
  later.market.listArtifacts = async () => {
    if (listings++ === 0) throw new Error("HTTP 502");
    return chunks;
  };
  later.inWork.hear(later.notice);
  await expect.poll(() => later.ledger.find(bounty)?.state).toBe("abandoned");
  await later.inWork.stop();
  expect([later.count("bounty.dispatched"), later.count("assertion.planned")]).toEqual([1, 0]);
  expect(later.told.find(([event]) => event === "bounty.abandoned")?.[1]).toMatchObject({
    why: "no-artifacts",
  });
});

it("takes artifacts without names for what they are on a marketplace that gives none", async () => {
  const { answered, inWork, notice, dispatched } = openBounties();
  answered.listArtifacts = async () => [{ name: "" }, { name: "" }];
  inWork.hear(notice);
  await dispatched();
  await inWork.stop();
});

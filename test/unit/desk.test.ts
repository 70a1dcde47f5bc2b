import { expect, it } from "vitest";
import { instant } from "../../src/domain/chain.ts";
import { nct } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import { Collector } from "../../src/producer/collector.ts";
import { Desk, type DeskParts } from "../../src/producer/desk.ts";
import { Duties } from "../../src/producer/duties.ts";
import { Purse } from "../../src/producer/purse.ts";
import type { ScanQueue } from "../../src/queue/port.ts";
import { aBounty, GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const clock = { now: () => instant(1_000) };

/** Whoever has no limits may stake what the purse holds. */
const unlimited: DeskParts["limiter"] = {
  paused: () => undefined,
  allow: ({ balance }) => ({ kind: "stake", most: balance, bound: "balance" }),
};

/** Takes every job and answers none. */
const silentQueue: ScanQueue = {
  dispatch: async () => {},
  onAnswer: () => {},
  onReconnect: () => {},
  answersTo: async () => [],
  forget: async () => {},
  backlog: async () => ({}),
  healthy: () => true,
  [Symbol.asyncDispose]: async () => {},
};

it("does not begin a bounty again that it heard of before it took up those of the earlier run", async () => {
  const bounty = aBounty();
  const market = new HandMarket();
  market.bounty = async () => bounty;
  market.listArtifacts = async () => [{ name: "0", hash: "Qm0" }];
  using ledger = openLedger(":memory:", clock);
  const purse = new Purse(() => market.balance(), clock);
  const told: string[] = [];
  const tell = (event: string) => void told.push(event);
  const desk = new Desk({
    ...{ market, ledger, purse, clock, tell, queue: silentQueue, limiter: unlimited },
    collector: new Collector(silentQueue, clock, () => {}),
    duties: new Duties({ market, ledger, purse, clock, tell }),
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
    seal: () => ({ nonce: 1n, commitment: 1n }),
    instantOf: () => instant(61_000),
    version: "0.0.0",
  });
  market.tell("bounty", { ...bounty, amount: nct(1n), postedIn: undefined });
  await expect.poll(() => ledger.find({ chain: "side", guid: GUID })?.state).toBe("dispatched");
  expect(desk.resume()).toBe(0);
  await desk.stop();
  expect(told.filter((event) => event === "bounty.dispatched")).toHaveLength(1);
});

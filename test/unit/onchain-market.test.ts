import { expect, it } from "vitest";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import type { BountyIntake } from "../../src/market/port.ts";
import { aBounty, noticeOf } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";

const guidOf = (number: number): Guid => uintToGuid(BigInt(number));
const noRescan = async () => undefined;

/** An on-chain market over one that the test leads, and what its intake hears. */
function open() {
  const ledger = openLedger(":memory:", systemClock);
  const gateway = new HandMarket();
  const told: [string, object][] = [];
  const market = onchainMarket(gateway, {
    ledger,
    clock: systemClock,
    tell: (event, facts) => void told.push([event, facts]),
  });
  const heard: string[] = [];
  const intake: BountyIntake = {
    has: () => false,
    hear: ({ guid }) => {
      heard.push(guid);
      return true;
    },
    release: () => void heard.push("released"),
    open: () => void heard.push("open"),
  };
  const announce = (number: number) =>
    gateway.tell("bounty", noticeOf(aBounty({ guid: guidOf(number), expiration: block(1_050) })));
  return { ledger, gateway, market, told, heard, intake, announce };
}

it("keeps what was announced before it begins, and again when its intake has ended, for the next", async () => {
  const { market, heard, intake, announce } = open();
  announce(1);
  expect(heard).toEqual([]);
  const first = new AbortController();
  await market.begin(intake, noRescan, first.signal);
  announce(2);
  expect(heard).toEqual(["released", guidOf(1), "open", guidOf(2)]);
  first.abort();
  announce(3);
  heard.length = 0;
  await market.begin(intake, noRescan, new AbortController().signal);
  expect(heard).toEqual(["released", guidOf(3), "open"]);
});

it("hands over the other announcements when one of them goes wrong", async () => {
  const { market, told, heard, intake, announce } = open();
  announce(1);
  announce(2);
  const hear = intake.hear;
  intake.hear = (notice) => {
    if (notice.guid === guidOf(1)) throw new Error("database or disk is full");
    return hear(notice);
  };
  await market.begin(intake, noRescan, new AbortController().signal);
  expect(heard).toEqual(["released", guidOf(2), "open"]);
  expect(told).toContainEqual(["bounty.failed", { guid: guidOf(1), reason: "database or disk is full" }]);
});

it("begins once the ledger can be asked what it has lost, and not never", async () => {
  const { market, ledger, heard, intake } = open();
  const note = ledger.note.bind(ledger);
  let failures = 0;
  ledger.note = (id, name) => {
    if (name === "salvage" && failures++ === 0) throw new Error("database or disk is full");
    return note(id, name);
  };
  await market.begin(intake, noRescan, new AbortController().signal);
  expect([failures > 1, heard]).toEqual([true, ["released", "open"]]);
});

it("tells that bounties may have been missed after a gap in the blocks, also where a listener of blocks fails", async () => {
  const { gateway, market } = open();
  const heard: string[] = [];
  market.on("missed", () => void heard.push("missed"));
  market.on("moved", ({ moment }) => {
    heard.push(`${moment}`);
    if (moment === 1_005) throw new Error("ledger trouble");
  });
  const mine = (number: number) => gateway.mine(number).catch(() => undefined);
  for (const number of [1_001, 1_002, 1_005, 1_006]) await mine(number);
  expect(heard).toEqual(["1001", "1002", "missed", "1005", "1006"]);
});

import { uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { aBounty, noticeOf } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { AnswerOnlyMarket } from "../fixtures/markets/answer-only-market.ts";
import { PushMarket } from "../fixtures/markets/push-market.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";
import { describeMarket } from "./market.ts";

const toyBounty = (market: string) =>
  aBounty({
    market,
    guid: uintToGuid(5n),
    uri: "https://artifacts.example/1",
    artifactCount: 1,
    claims: [{ raw: {} }],
    details: { closesAt: Date.now() + 600_000, answerTo: "http://127.0.0.1:1/" },
  });

describeMarket("the market behind contracts", async () => {
  const ledger = openLedger(":memory:", systemClock);
  const gateway = new HandMarket();
  const bounty = aBounty();
  gateway.bounty = async (guid) => (guid === bounty.guid ? bounty : null);
  const market = onchainMarket(gateway, { ledger, clock: systemClock, tell: () => {} });
  await market.joined(new AbortController().signal);
  return {
    market,
    bounty,
    announce: async () => gateway.tell("bounty", noticeOf(bounty)),
    [Symbol.asyncDispose]: () => market[Symbol.asyncDispose](),
  };
});

describeMarket("the market where the answer is all", async () => {
  const market = new AnswerOnlyMarket("plain", systemClock);
  const bounty = toyBounty("plain");
  const announce = async () => market.post(bounty);
  return { market, bounty, announce, [Symbol.asyncDispose]: () => market[Symbol.asyncDispose]() };
});

describeMarket("the market that pushes bounties", async () => {
  const market = new PushMarket("pushing", systemClock);
  const bounty = toyBounty("pushing");
  const { guid, uri, details } = bounty;
  return {
    market,
    bounty,
    async announce() {
      const answer = await fetch(await market.url(), {
        method: "POST",
        body: JSON.stringify({ guid, uri, ...details }),
      });
      await answer.body?.cancel();
    },
    [Symbol.asyncDispose]: () => market[Symbol.asyncDispose](),
  };
});

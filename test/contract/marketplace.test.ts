import { parseAddress } from "../../src/domain/address.ts";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { aPlan, GUID, someParameters } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { ModelChain, ModelMarket } from "../fixtures/model-market.ts";
import { ModelChain as SlowChain } from "../slow/model-chain.ts";
import { ModelGateway, type Weather } from "../slow/model-gateway.ts";
import { joinModelMarket } from "../slow/model-market.ts";
import { dice, ModelTime } from "../slow/model-time.ts";
import {
  type AnswerToBounty,
  describeBlocks,
  describeMarketplace,
  describeSigning,
  type MarketScene,
} from "./marketplace.ts";

/** The real client is held to the same by test/integration/market-client-sandbox.test.ts. */
const answerTo = (guid: Guid): AnswerToBounty => {
  const { bids, mask, commitment, fee, nonce, verdicts } = aPlan();
  return {
    request: { guid, bids, mask, commitment, fee, artifactCount: 2 },
    reveal: (index) => ({ guid, index, nonce, verdicts, artifactCount: 2, metadata: "QmMetadata" }),
  };
};

/** Calls `pass` until the promise is settled. */
async function passing<T>(work: Promise<T>, pass: () => Promise<void>): Promise<T> {
  let isSettled = false;
  const settled = work.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  for (let blocks = 0; !isSettled && blocks < 1_000; blocks++) await pass();
  return settled;
}

/** Does what it is told, so it is held to nothing that a market remembers. */
const openHandMarket = async (): Promise<MarketScene> => {
  const market = new HandMarket();
  const pass = () => market.mine(market.head() + 1);
  return {
    market,
    post: async () => GUID,
    answerTo,
    skipTo: async () => {},
    during: (work) => passing(work, pass),
    useNonces: async () => {},
    async [Symbol.asyncDispose]() {},
  };
};
describeBlocks("the market that a test tells what to do", openHandMarket);
describeSigning("the market that a test tells what to do", openHandMarket);

describeMarketplace("the model of one bounty", async () => {
  const chain = new ModelChain();
  const market = new ModelMarket(chain, () => "none");
  const pass = async () => {
    chain.mine();
    await market.pass();
  };
  const skip = async (head: number) => {
    while (chain.head < head) await pass();
  };
  const { revealWindow, voteWindow } = someParameters;
  return {
    market,
    post: async () => GUID,
    answerTo,
    skipTo: (_guid, round) => skip(round === "reveal" ? 1_020 : 1_020 + revealWindow + voteWindow),
    during: (work) => passing(work, pass),
    async useNonces() {
      for (let nonce = 0; nonce < 2; nonce++) chain.takeNonce();
    },
    async [Symbol.asyncDispose]() {},
  };
});

const ACCOUNT = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const BLOCK_MS = 1_000;
const DURATION = 60;

describeMarketplace("the model of a slow gateway", async () => {
  const time = new ModelTime();
  const chain = new SlowChain({ revealWindow: 20, voteWindow: 20 });
  const weather: Weather = { latencyMs: () => 40, loss: () => "none", hides: () => false };
  const random = dice(7);
  const gateway = new ModelGateway({ chain, time, weather, account: ACCOUNT, random, onSubmit: () => {} });
  const market = joinModelMarket({ chain, gateway, time, account: ACCOUNT, blockMs: BLOCK_MS, random });
  const onBlock = (): void => {
    chain.mine();
    market.tell("block", { number: block(chain.head) });
    time.after(BLOCK_MS, onBlock);
  };
  time.after(BLOCK_MS, onBlock);
  let posted = 0n;
  const post = async (): Promise<Guid> => {
    const guid = uintToGuid(++posted);
    const expiration = chain.head + DURATION;
    const nothing = { asserted: undefined, revealed: undefined, settled: undefined };
    chain.bounties.set(guid, { guid, expiration, place: 2, ...nothing });
    return guid;
  };
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let isSettled = false;
    const settled = work.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    await time.passUntil(time.now() + 600_000, () => isSettled);
    return settled;
  };
  return {
    market,
    post,
    answerTo,
    async skipTo(guid, round) {
      const { expiration } = chain.bounties.get(guid)!;
      const head = round === "reveal" ? expiration : expiration + 40;
      await time.passUntil(Number.POSITIVE_INFINITY, () => chain.head >= head);
    },
    during,
    async useNonces() {
      await during(market.assert(answerTo(await post()).request, () => {}));
    },
    async [Symbol.asyncDispose]() {},
  };
});

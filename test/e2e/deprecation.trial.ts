import { afterAll, beforeAll, expect, it } from "vitest";
import type { EngineProcess } from "./engine.ts";
import { deedsOnChain, readLedger } from "./market.ts";
import { about, MeddledMarket } from "./meddled-market.ts";
import { scrape } from "./scrape.ts";

let market: MeddledMarket;

const order = (what: "deprecate" | "undeprecate", args: readonly unknown[]) => {
  const { chain } = market.sandbox;
  return chain.send(chain.accounts.deployer, chain.contracts.registry, what, args);
};

/** What it says of itself over HTTP. */
async function health(producer: EngineProcess) {
  const [listening] = await producer.told("http.listening", 1, ({ name }) => name === "producer");
  const port = Number(listening?.port);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  const { checks } = (await ready.json()) as { checks: Record<string, object> };
  const counted = await scrape(port);
  return { status: ready.status, market: checks["market-side"], deprecated: counted("market_deprecated") };
}

const DEPRECATED = {
  status: 200,
  market: { ok: true, detail: expect.stringMatching(/^deprecated/) },
  deprecated: 1,
};

const confirmed = (producer: EngineProcess) => expect.poll(() => health(producer)).toMatchObject(DEPRECATED);

beforeAll(async () => {
  market = await MeddledMarket.open();
});
afterAll(() => market?.[Symbol.asyncDispose]());

it("asserts nothing more once its registry is deprecated, says so, and says so again after a restart", async () => {
  const producer = await market.start();
  await producer.told("assertion.posted", 1, about(await market.post(16)));
  expect(await health(producer)).toMatchObject({ status: 200, market: { ok: true }, deprecated: 0 });
  // One that is announced only when the deprecation is known, as events of different types may be.
  const held: Buffer[] = [];
  market.meddler.meddle = (frame) => {
    if (!frame.includes('"event":"bounty"')) return [frame];
    held.push(frame);
    return [];
  };
  market.meddler.spoil(/^GET [^?]*\/bounties\?/, { status: 502, text: "the list" }, "always");
  const late = await market.post(24);
  await order("deprecate", [true]);
  await producer.told("market.deprecated");
  // A bounty posted within ten blocks would have shown that the news was false.
  await confirmed(producer);
  market.meddler.repent();
  for (const frame of held) market.meddler.say(frame);
  await producer.told("bounty.skipped", 1, about(late));
  await producer.kill("SIGKILL");
  const later = await market.start();
  expect((await later.told("producer.ready"))[0]).toMatchObject({ deprecated: true });
  await confirmed(later);
});

it("reveals and settles what it had promised all the same", async () => {
  await market.producer.told("assertion.settled");
  expect(readLedger(market.folder)).toMatchObject({ atRisk: 0n, revealsMissed: 0 });
  expect(await deedsOnChain(market.sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
});

it("answers again when it hears of a bounty posted later, though it missed that the deprecation was taken back", async () => {
  const producer = market.producer;
  market.meddler.meddle = (frame) => (frame.includes('"event":"undeprecated"') ? [] : [frame]);
  await order("undeprecate", []);
  const guid = await market.post(16);
  await producer.told("assertion.posted", 1, about(guid));
  expect((await producer.told("market.undeprecated"))[0]).toMatchObject({ proof: guid });
  expect(await health(producer)).toMatchObject({ market: { ok: true }, deprecated: 0 });
});

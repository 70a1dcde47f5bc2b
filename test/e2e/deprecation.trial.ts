import { afterAll, beforeAll, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { Meddler } from "./meddler.ts";
import { scrape } from "./scrape.ts";

const folder = temporaryFolder();
const processes: EngineProcess[] = [];
let sandbox: Sandbox;
let meddler: Meddler;

async function start(): Promise<EngineProcess> {
  const flags = ["--embedded", "1", "--benign", "eicar=0.8"];
  const producer = new EngineProcess([...producerFlags(meddler.url, folder.path), ...flags]);
  processes.push(producer);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  return producer;
}

const post = (duration: number): Promise<Guid> =>
  sandbox.postBounty({ contents: [EICAR], truth: [true], duration, reward: REWARD });
const order = (what: "deprecate" | "undeprecate", args: readonly unknown[]) => {
  const { chain } = sandbox;
  return chain.send(chain.accounts.deployer, chain.contracts.registry, what, args);
};
const of = (guid: Guid) => (entry: object) => "guid" in entry && entry.guid === guid;

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

beforeAll(async () => {
  sandbox = await openMarket(folder.path);
  meddler = await Meddler.open(sandbox.url);
});
afterAll(async () => {
  for (const producer of processes) await producer[Symbol.asyncDispose]();
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

it("asserts nothing more once its registry is deprecated, says so, and says so again after a restart", async () => {
  const producer = await start();
  await producer.told("assertion.posted", 1, of(await post(16)));
  expect(await health(producer)).toMatchObject({ status: 200, market: { ok: true }, deprecated: 0 });
  // One that is announced only when the deprecation is known, as events of different types may be.
  const held: Buffer[] = [];
  meddler.meddle = (frame) => {
    if (!frame.includes('"event":"bounty"')) return [frame];
    held.push(frame);
    return [];
  };
  meddler.spoil(/^GET [^?]*\/bounties\?/, { status: 502, text: "the list" }, "always");
  const late = await post(24);
  await order("deprecate", [true]);
  await producer.told("market.deprecated");
  expect(await health(producer)).toMatchObject(DEPRECATED);
  meddler.repent();
  for (const frame of held) meddler.say(frame);
  await producer.told("bounty.skipped", 1, of(late));
  await producer.kill("SIGKILL");
  const later = await start();
  expect((await later.told("producer.ready"))[0]).toMatchObject({ deprecated: true });
  expect(await health(later)).toMatchObject(DEPRECATED);
});

it("reveals and settles what it had promised all the same", async () => {
  await processes.at(-1)!.told("assertion.settled");
  expect(readLedger(folder.path)).toMatchObject({ atRisk: 0n, revealsMissed: 0 });
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
});

it("answers again when it hears of a bounty posted later, though it missed that the deprecation was taken back", async () => {
  const producer = processes.at(-1)!;
  meddler.meddle = (frame) => (frame.includes('"event":"undeprecated"') ? [] : [frame]);
  await order("undeprecate", []);
  const guid = await post(16);
  await producer.told("assertion.posted", 1, of(guid));
  expect((await producer.told("market.undeprecated"))[0]).toMatchObject({ proof: guid });
  expect(await health(producer)).toMatchObject({ market: { ok: true }, deprecated: 0 });
});

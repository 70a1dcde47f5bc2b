import { afterAll, beforeAll, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { type Meddle, Meddler } from "./meddler.ts";
import { scrape } from "./scrape.ts";

/** Blocks. Enough for a producer to start on a busy machine. */
const WHILE_DEAD = 24;
/** ... and to come back to its list twice. */
const WHILE_ALIVE = 16;

const folder = temporaryFolder();
const processes: EngineProcess[] = [];
const guids: Guid[] = [];
let sandbox: Sandbox;
let meddler: Meddler;

async function start(): Promise<EngineProcess> {
  const flags = ["--embedded", "1", "--benign", "eicar=0.8"];
  const producer = new EngineProcess([...producerFlags(meddler.url, folder.path), ...flags]);
  processes.push(producer);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  return producer;
}

async function post(duration: number): Promise<Guid> {
  const content = Buffer.from(`${EICAR}${" ".repeat(guids.length)}`);
  const guid = await sandbox.postBounty({
    ...{ contents: [content], truth: [true], duration, reward: REWARD },
  });
  guids.push(guid);
  return guid;
}

const of = (guid: Guid) => (entry: object) => "guid" in entry && entry.guid === guid;
const nothing: Meddle = () => [];
const all: Meddle = (frame) => [frame];
const noBounties: Meddle = (frame) => (frame.includes('"event":"bounty"') ? [] : [frame]);

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

it("answers a bounty that was posted while its producer was dead", async () => {
  const first = await start();
  await first.kill("SIGKILL");
  const guid = await post(WHILE_DEAD);
  const producer = await start();
  await producer.told("bounty.backfilled", 1, of(guid));
  await producer.told("assertion.posted", 1, of(guid));
});

it("answers a bounty that was posted while the event stream was cut", async () => {
  const producer = processes.at(-1)!;
  meddler.meddle = nothing;
  const guid = await post(WHILE_ALIVE);
  meddler.hangUp();
  await producer.told("market.disconnected");
  meddler.meddle = all;
  await producer.told("bounty.backfilled", 1, of(guid));
  await producer.told("assertion.posted", 1, of(guid));
});

it("answers a bounty while the gateway is silent about bounties and tells all else", async () => {
  const producer = processes.at(-1)!;
  meddler.meddle = noBounties;
  const guid = await post(WHILE_ALIVE);
  const [found] = await producer.told("bounty.backfilled", 1, of(guid));
  // Looked for every five blocks, so about half of the time is left at the least.
  expect(found?.blocksLeft).toBeGreaterThan(WHILE_ALIVE / 2 - 1);
  await producer.told("assertion.posted", 1, of(guid));
});

it("settles all of them, also when the arbiters agreed while the producer was dead, and has answered each once", async () => {
  const before = processes.at(-1)!;
  const last = guids.at(-1)!;
  const [listening] = await before.told("http.listening", 1, ({ name }) => name === "producer");
  const counted = await scrape(Number(listening?.port));
  expect(counted("bounties_backfilled_total")).toBe(guids.length);
  await before.told("assertion.revealed", 1, of(last));
  await before.kill("SIGKILL");
  const quorums = async () =>
    (await sandbox.chain.logs(0, await sandbox.chain.head())).filter(
      ({ event }) => event === "QuorumReached",
    );
  await expect.poll(quorums, { timeout: 20_000 }).toHaveLength(guids.length);
  const producer = await start();
  await producer.told("assertion.settled", 1, of(last));
  await expect.poll(() => readLedger(folder.path).byState).toEqual({ settled: guids.length });
  const times = guids.length;
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: times, revealed: times, settled: times });
  for (const guid of guids) {
    const seen = processes.flatMap(({ entries }) => entries.filter(of(guid)));
    expect(seen.filter(({ msg }) => msg === "bounty.seen")).toHaveLength(1);
  }
});

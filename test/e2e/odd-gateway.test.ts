import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, ONE_SCAN, producerFlags, temporaryFolder } from "./engine.ts";
import {
  deedsOnChain,
  EICAR,
  openMarket,
  REWARD,
  readLedger,
  skipToReveals,
  skipToVotes,
  WIDE,
} from "./market.ts";
import { Meddler, type Nonsense } from "./meddler.ts";
import { scrape } from "./scrape.ts";

interface Frame {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly txhash?: string;
}

const RIVAL = "0x00000000000000000000000000000000000000bb";
const encode = (frame: object): Buffer => Buffer.from(stringifyJson(frame));

/** What no client can make sense of; each of them counts as malformed. */
const GARBAGE: readonly (Buffer | string)[] = [
  "",
  "<html>502 Bad Gateway</html>",
  '{"event":"bounty","data":{',
  "null",
  "[1,2,3]",
  '{"event":7,"data":{}}',
  Buffer.from([0xff, 0x00, 0xfe, 0x80]),
];
const UNKNOWN: readonly object[] = [
  { event: "rain", data: { frogs: 12 } },
  { event: "constructor", data: {} },
  { event: "__proto__", data: null },
];

/** The bounty event with one field after the other missing, and then of the wrong type. */
function disfigured({ data, ...rest }: Frame): readonly object[] {
  const fields = ["guid", "artifact_type", "author", "amount", "uri", "expiration"];
  const wrong: Readonly<Record<string, unknown>> = {
    guid: "not-a-guid",
    artifact_type: "hologram",
    author: "0x12",
    amount: "-5",
    uri: 7,
    expiration: { in: "a while" },
  };
  return [
    ...fields.map((field) => ({ ...rest, data: { ...data, [field]: undefined } })),
    ...fields.map((field) => ({ ...rest, data: { ...data, [field]: wrong[field] } })),
    { ...rest, data: null },
    { ...rest, data: "soon" },
  ];
}

/** An assertion on the bounty, told before the bounty is. */
const hastyAssertion = ({ data }: Frame): object => ({
  event: "assertion",
  data: {
    bounty_guid: data.guid,
    author: RIVAL,
    index: 0,
    bid: ["62500000000000000"],
    mask: [true],
    commitment: "1",
  },
  block_number: 1,
  txhash: `0x${"1".repeat(64)}`,
});

const page: Nonsense = {
  status: 200,
  text: "<html><body>Down for maintenance</body></html>",
  headers: { "content-type": "text/html" },
};
const failure: Nonsense = { status: 500, text: '{"status":"FAIL","errors":"oops"}' };
const nothing: Nonsense = { status: 404, text: '{"status":"FAIL","errors":"not found"}' };
const slower: Nonsense = { status: 429, text: "Too Many Requests", headers: { "retry-after": "1" } };

const folder = temporaryFolder();
let sandbox: Sandbox;
let meddler: Meddler;
let producer: EngineProcess;
let malformed = 0;
/** Every bounty so far, as events that do not say which transaction they are from. */
const repeats: Buffer[] = [];

/** Bounties come three times and in bad company; everything else comes as it is. */
function meddle(raw: Buffer): readonly (Buffer | string)[] {
  const frame = parseJson(raw.toString()) as Frame;
  if (frame.event !== "bounty") return [raw];
  const nonsense = [...GARBAGE, ...disfigured(frame).map(encode)];
  malformed += nonsense.length;
  const { txhash, ...anonymous } = frame;
  const repeat = encode(anonymous);
  repeats.push(repeat);
  return [...nonsense, ...UNKNOWN.map(encode), encode(hastyAssertion(frame)), ...[raw, raw, repeat]];
}

beforeAll(async () => {
  sandbox = await openMarket(folder.path, WIDE);
  meddler = await Meddler.open(sandbox.url);
  producer = new EngineProcess([...producerFlags(meddler.url, folder.path), "--embedded", "1"], ONE_SCAN);
  // A consumer needs a moment to begin, and bounties wait for nobody.
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  meddler.meddle = meddle;
});
afterAll(async () => {
  await producer[Symbol.asyncDispose]();
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

let bounties = 0;
/** Each is about a content of its own, which the consumer has to fetch. */
const post = () =>
  sandbox.postBounty({
    contents: [Buffer.concat([EICAR, Buffer.from(`${bounties++}`)])],
    truth: [true],
    duration: WIDE.durationBlocks,
    reward: REWARD,
  });
const posted = (guid: string) => producer.told("assertion.posted", 1, (entry) => entry.guid === guid);

describe("a producer behind a gateway that talks nonsense", () => {
  it("answers a bounty that is told three times, after garbage, and after an assertion on it", async () => {
    const guid = await post();
    await posted(guid);
    expect(producer.entries.filter((entry) => entry.msg === "bounty.seen")).toHaveLength(1);
    const complaints = producer.entries.filter(({ msg }) => msg === "market.event-unknown");
    expect(complaints.map(({ event }) => event)).toEqual(["rain", "constructor", "__proto__"]);
  });

  it("answers a bounty although reads for it fail, are put off, and lead to a web page", async () => {
    meddler.spoil(/^GET \/bounties\/[-0-9a-f]+\?/, failure);
    meddler.spoil(/^GET \/bounties\/[-0-9a-f]+\?/, page);
    meddler.spoil(/^GET \/artifacts\/\w+\?/, slower);
    meddler.spoil(/^GET \/artifacts\/\w+\/0$/, failure);
    meddler.spoil(/^GET \/balances\//, page);
    meddler.spoil(/^GET \/bounties\/[-0-9a-f]+\/votes\?/, slower);
    await posted(await post());
  });

  it("answers a bounty whose artifacts the gateway finds late", async () => {
    // One round of asking takes four answers of this kind.
    for (let round = 0; round < 6; round++) meddler.spoil(/^GET \/artifacts\/\w+\?/, nothing);
    await posted(await post());
  });

  it("comes back when the events break off, and answers what is news then", async () => {
    meddler.spoil(/^GET \/bounties\/parameters\?/, failure);
    meddler.hangUp();
    await producer.told("market.disconnected");
    await producer.told("market.connected", 2);
    for (const repeat of repeats) meddler.say(repeat);
    await posted(await post());
  });

  it("lets go of a bounty whose artifact is listed and never to be had", async () => {
    const lost = Buffer.from("lost");
    const uri = sandbox.store.putDirectory([lost]);
    meddler.spoil(new RegExp(`^GET /artifacts/${uri}/0`), nothing, "always");
    const terms = { truth: [false], duration: 8, reward: REWARD };
    const guid = await sandbox.postBounty({ contents: [lost], ...terms });
    const [abandoned] = await producer.told("bounty.abandoned", 1, (entry) => entry.guid === guid);
    expect(abandoned).toMatchObject({
      why: "no-opinion",
      detail: expect.stringContaining("download-failed"),
    });
  });

  it("is not hurried by the block number of another chain", async () => {
    await posted(await post());
    meddler.say(encode({ event: "block", data: { number: 17_000_000 } }));
    await skipToReveals(sandbox);
    await producer.told("assertion.revealed", 5);
  });

  it("has counted what made no sense, and sees each stake through exactly once", async () => {
    await skipToVotes(sandbox);
    await producer.told("assertion.settled", 5);
    const [listening] = await producer.told("http.listening", 1, ({ name }) => name === "producer");
    const counted = await scrape(Number(listening?.port));
    expect(malformed).toBe(6 * (GARBAGE.length + 14));
    expect({
      malformed: counted("market_events_malformed_total"),
      seen: counted("bounties_seen_total"),
      settled: counted("assertions_settled_total"),
      right: counted("verdicts_judged_total", { judgement: "right" }),
    }).toEqual({ malformed, seen: 6, settled: 5, right: 5 });
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 5, revealed: 5, settled: 5 });
    expect(readLedger(folder.path)).toMatchObject({ bounties: 6, settled: 5, atRisk: 0n });
    expect(meddler.unasked()).toEqual([]);
    expect(producer.text).toEqual([]);
  });
});

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Guid, guidToUint } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { cidOf } from "../../src/sandbox/content/cid.ts";
import type { Commission } from "../../src/sandbox/players/commission.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, readLedger, skipToReveals, skipToVotes, WIDE } from "./market.ts";
import { scrape } from "./scrape.ts";

const CLEAN = Buffer.from("nothing to see here\n");
const EMPTY = Buffer.alloc(0);
/** Of 256 artifacts; both ends of the mask, and both sides of a byte's end. */
const INFECTED = [0, 7, 8, 129, 255];
/** Blocks: of what nobody can answer, and of what has to be answered however busy the machine is. */
const BRIEF = 12;
const { durationBlocks: DURATION } = WIDE;
const REWARD = nct(8n * ONE_NCT);

const ODD = {
  nowhere: {
    contents: [],
    truth: [true, true, true, true],
    artifactCount: 4,
    uri: cidOf(Buffer.from("published by nobody")),
    duration: BRIEF,
  },
  short: { contents: [EICAR], truth: [true, false, false], artifactCount: 3 },
  long: { contents: [EICAR, CLEAN, EICAR], truth: [true, false], artifactCount: 2 },
  empty: { contents: [EMPTY, EMPTY], truth: [false, false] },
  mixed: { contents: [EMPTY, Buffer.alloc(30 << 20), EICAR], truth: [false, false, true] },
  urls: { contents: [Buffer.from("https://example.com/")], truth: [false], kind: "url" },
  garbage: { contents: [EICAR], truth: [true], metadata: `[{"sha256":7},\u0000<not json>` },
  brief: { contents: [EICAR], truth: [true], duration: 1 },
  hasty: { contents: [EICAR], truth: [true], duration: 2 },
  crowd: {
    contents: Array.from({ length: 256 }, (_, at) =>
      INFECTED.includes(at) ? EICAR : Buffer.from(`artifact ${at}`),
    ),
    truth: Array.from({ length: 256 }, (_, at) => INFECTED.includes(at)),
    reward: nct(512n * ONE_NCT),
  },
  ordinary: { contents: [EICAR], truth: [true] },
} satisfies Record<string, Pick<Commission, "contents" | "truth"> & Partial<Commission>>;
type Name = keyof typeof ODD;
const ANSWERED = ["short", "long", "empty", "mixed", "garbage", "crowd"] as const;

const folder = temporaryFolder();
let sandbox: Sandbox;
let producer: EngineProcess;
let port: number;
const guids = new Map<Name, Guid>();

async function post(name: Name): Promise<void> {
  guids.set(name, await sandbox.postBounty({ duration: DURATION, reward: REWARD, ...ODD[name] }));
}

/** The first entry that tells this of this bounty. */
async function toldOf(name: Name, msg: string): Promise<Entry> {
  const [entry] = await producer.told(msg, 1, ({ guid }) => guid === guids.get(name));
  return entry!;
}

function recordOf(name: Name) {
  using ledger = openLedger(join(folder.path, "data", "ledger.sqlite"), systemClock);
  return ledger.find({ market: "side", guid: guids.get(name)! });
}

const Assertion = z.object({ mask: z.bigint(), bid: z.array(z.bigint()) });
const Reveal = z.object({ verdicts: z.bigint() });

/** What the chain has of our only assertion on it. */
async function answerOnChain(name: Name) {
  const logs = await sandbox.chain.logs(0, await sandbox.chain.head());
  const argsOf = (event: string) =>
    logs
      .filter((log) => log.event === event && log.args.bountyGuid === guidToUint(guids.get(name)!))
      .map(({ args }) => args)
      .filter(({ author }) => String(author).toLowerCase() === sandbox.account?.toLowerCase());
  const [asserted, ...again] = argsOf("NewAssertion");
  expect(again).toEqual([]);
  const { mask, bid } = Assertion.parse(asserted);
  return { mask, bids: bid.length, verdicts: Reveal.parse(argsOf("RevealedAssertion")[0]).verdicts };
}

beforeAll(async () => {
  sandbox = await openMarket(folder.path, WIDE);
  producer = new EngineProcess([
    ...producerFlags(sandbox.url, folder.path),
    ...["--embedded", "1", "--benign", "eicar=0.8"],
  ]);
  // A consumer needs a moment to begin, and bounties wait for nobody.
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  const [listening] = await producer.told("http.listening", 1, ({ name }) => name === "producer");
  port = Number(listening?.port);
  const { ordinary, ...odd } = ODD;
  await Promise.all(Object.keys(odd).map((name) => post(name as Name)));
});
afterAll(async () => {
  await producer[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("a producer that faces odd bounties all at once", () => {
  it("leaves URLs alone while it takes files only, and writes nothing down", async () => {
    expect(await toldOf("urls", "bounty.skipped")).toMatchObject({ why: "wrong-kind" });
    expect(recordOf("urls")).toBeUndefined();
  });

  it.each<[Name, RegExp]>([
    ["brief", /^too-late$/],
    // Two blocks are enough to be seen in time, and leave none to scan, to read a bounty twice, or to be mined.
    ["hasty", /^(too-late|no-opinion|market-failed|post-failed)$/],
  ])("lets go of the bounty %j that expires almost at once", async (name, why) => {
    expect(await toldOf(name, "bounty.abandoned")).toMatchObject({ why: expect.stringMatching(why) });
    expect(recordOf(name)).toMatchObject({ state: "abandoned", reason: expect.stringMatching(why) });
  });

  it("waits for a URI that leads nowhere without keeping a consumer busy, then lets go of it", async () => {
    expect(await toldOf("nowhere", "bounty.abandoned")).toMatchObject({ why: "no-artifacts" });
    expect(recordOf("nowhere")).toMatchObject({ state: "abandoned", reason: "no-artifacts" });
    const told = producer.entries.filter(({ guid }) => guid === guids.get("nowhere"));
    expect(told.map(({ msg }) => msg)).toEqual(["bounty.seen", "bounty.abandoned"]);
  });

  it("is ready then, and answers an ordinary bounty", async () => {
    await Promise.all(ANSWERED.map((name) => toldOf(name, "assertion.posted")));
    await post("ordinary");
    await toldOf("ordinary", "assertion.posted");
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    await skipToReveals(sandbox);
    await producer.told("assertion.revealed", ANSWERED.length + 1);
    await skipToVotes(sandbox);
  });

  it.each<[Name, object]>([
    ["short", { mask: 0b001n, bids: 1, verdicts: 0b001n }],
    ["long", { mask: 0b11n, bids: 2, verdicts: 0b01n }],
    ["empty", { mask: 0b11n, bids: 2, verdicts: 0b00n }],
    ["mixed", { mask: 0b111n, bids: 3, verdicts: 0b100n }],
    ["garbage", { mask: 0b1n, bids: 1, verdicts: 0b1n }],
    [
      "crowd",
      {
        mask: (1n << 256n) - 1n,
        bids: 256,
        verdicts: INFECTED.reduce((bits, index) => bits | (1n << BigInt(index)), 0n),
      },
    ],
    ["ordinary", { mask: 0b1n, bids: 1, verdicts: 0b1n }],
  ])("has answered once, for each artifact there is, on the bounty %j", async (name, answer) => {
    expect(await toldOf(name, "assertion.settled")).toMatchObject({ wrong: 0 });
    expect(await answerOnChain(name)).toEqual(answer);
  });

  it("has counted them all", async () => {
    const counted = await scrape(port);
    expect({
      seen: counted("bounties_seen_total"),
      skipped: counted("bounties_skipped_total", { why: "wrong-kind" }),
      nowhere: counted("bounties_abandoned_total", { why: "no-artifacts" }),
      abandoned: counted("bounties_abandoned_total"),
      posted: counted("assertions_posted_total"),
      revealed: counted("assertions_revealed_total"),
      settled: counted("assertions_settled_total"),
      missed: counted("reveals_missed_total"),
      right: counted("verdicts_judged_total", { judgement: "right" }),
      wrong: counted("verdicts_judged_total", { judgement: "wrong" }),
      malformed: counted("market_events_malformed_total"),
      open: counted("duties_open"),
      atRisk: counted("stake_at_risk_nct"),
      backlog: counted("queue_backlog"),
    }).toEqual({
      seen: 10,
      skipped: 1,
      nowhere: 1,
      abandoned: 3,
      posted: 7,
      revealed: 7,
      settled: 7,
      missed: 0,
      right: 1 + 2 + 2 + 3 + 1 + 256 + 1,
      wrong: 0,
      malformed: 0,
      open: 0,
      atRisk: 0,
      backlog: 0,
    });
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 7, revealed: 7, settled: 7 });
    const byState = { settled: 7, abandoned: 3 };
    expect(readLedger(folder.path)).toMatchObject({ bounties: 10, byState, atRisk: 0n });
    const failed = ["bounty.failed", "duty.failed", "assertion.reveal-missed"];
    const unforeseen = producer.entries.filter(({ guid }) => guid !== guids.get("hasty"));
    // A marketplace that takes long to show a reveal is slow, and has refused nothing: a busy machine has such moments.
    const isSlow = ({ reason }: (typeof unforeseen)[number]): boolean =>
      /, and handed over again$/.test(String(reason));
    expect(unforeseen.filter((entry) => failed.includes(entry.msg) && !isSlow(entry))).toEqual([]);
    expect(producer.text).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utils } from "web3";
import { z } from "zod";
import { parseJson } from "../../src/json/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { type Asked, Meddler, type Nonsense, type Silence } from "./meddler.ts";

interface Failure {
  readonly what: string;
  readonly answer: Nonsense | Silence;
  /** How many requests in a row fail so, in each phase. */
  readonly times: number;
  readonly phases?: readonly Phase[];
}

const json = { "content-type": "application/json" };
const FAILURES: readonly Failure[] = [
  {
    what: "answers 429 and says how long",
    answer: { status: 429, text: "", headers: { "retry-after": "1" } },
    times: 2,
  },
  { what: "answers 429 and does not say how long", answer: { status: 429, text: "slow down" }, times: 2 },
  {
    what: "answers 500",
    answer: { status: 500, text: '{"status":"FAIL","errors":"oops"}', headers: json },
    times: 2,
  },
  {
    what: "answers 502 with a web page",
    answer: {
      status: 502,
      text: "<html><h1>Bad Gateway</h1></html>",
      headers: { "content-type": "text/html" },
    },
    times: 2,
  },
  {
    what: "breaks its JSON off",
    answer: { status: 200, text: '{"status":"OK","result":{"transactions":[{"nonce":', headers: json },
    times: 2,
  },
  { what: "answers garbage", answer: { status: 200, text: "\u0000\ufffd]}7" }, times: 2 },
  { what: "closes the connection in the middle of an answer", answer: "cut", times: 2 },
  // A receipt is waited for so long that nobody could wait for the test.
  { what: "hangs", answer: "hang", times: 1, phases: ["see", "send", "reveal"] },
];

/** What is asked of the gateway about a bounty, from its event to its settlement. */
const PHASES = {
  see: /^GET \/bounties\/([-0-9a-f]{36})\?/,
  assert: /^POST \/bounties\/([-0-9a-f]{36})\/assertions\?/,
  reveal: /^POST \/bounties\/([-0-9a-f]{36})\/assertions\/\d+\/reveal\?/,
  settle: /^POST \/bounties\/([-0-9a-f]{36})\/settle\?/,
  send: /^POST \/transactions\?/,
  receipt: /^GET \/transactions\?/,
};
type Phase = keyof typeof PHASES;
const EVERY_PHASE = Object.keys(PHASES) as Phase[];

const folder = temporaryFolder();
let sandbox: Sandbox;
let meddler: Meddler;
let producer: EngineProcess;
/** The bounty about which the gateway fails so. */
const suffering = new Map<Failure, string>();
/** By transaction. */
const bountyOf = new Map<string, string>();
/** How often it failed so in this phase. */
const failed = new Map<string, number>();

const Body = z.object({ transactions: z.array(z.string()) });
const digits = (guid: string): string => guid.replaceAll("-", "");

/** The bounty that a request is about, if it is about one. */
function subjectOf({ caught, body }: Asked): string | undefined {
  if (caught !== "") return caught;
  const [first = ""] = Body.parse(body).transactions;
  const hash =
    first.length > 66 ? utils.keccak256(`0x${first}`) : first.toLowerCase().replace(/^(0x)?/, "0x");
  const named = [...suffering.values()].find((guid) => first.includes(digits(guid)));
  if (named !== undefined) bountyOf.set(hash, named);
  return bountyOf.get(hash);
}

function fail(): void {
  for (const phase of EVERY_PHASE) {
    meddler.forge(PHASES[phase], (asked) => {
      const guid = subjectOf(asked);
      const [failure] = [...suffering].find(([, about]) => about === guid) ?? [];
      if (failure === undefined || !(failure.phases ?? EVERY_PHASE).includes(phase)) return undefined;
      const before = failed.get(`${failure.what}: ${phase}`) ?? 0;
      if (before === failure.times) return undefined;
      failed.set(`${failure.what}: ${phase}`, before + 1);
      return failure.answer;
    });
  }
}

/** Other than blocks, everything is told behind the block that follows it, the last first, and then once more. */
function disorder(): void {
  const kept: Buffer[] = [];
  meddler.meddle = (frame) => {
    const { event } = parseJson(frame.toString()) as { event: string };
    if (event === "bounty") assign(frame);
    if (event !== "block") kept.push(frame);
    return event === "block" ? [frame, ...kept.toReversed(), ...kept.splice(0)] : [];
  };
}

function assign(frame: Buffer): void {
  const { data } = z.object({ data: z.object({ guid: z.string() }) }).parse(parseJson(frame.toString()));
  const next = FAILURES[suffering.size];
  if (next !== undefined) suffering.set(next, data.guid);
}

const told = (msg: string) => (failure: Failure) =>
  producer.told(msg, 1, ({ guid }: Entry) => guid === suffering.get(failure));

beforeAll(async () => {
  // A request that hangs is given up after ten seconds: the windows have room for that.
  sandbox = await openMarket(folder.path, { revealWindow: 50, blockTimeMs: 400 });
  meddler = await Meddler.open(sandbox.url);
  producer = new EngineProcess([...producerFlags(meddler.url, folder.path), "--embedded", "1"]);
  // A consumer needs a moment to begin, and bounties wait for nobody.
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  disorder();
  fail();
  const commission = (_: Failure, at: number) =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(`${at}`)])],
      truth: [true],
      duration: 80,
      reward: REWARD,
    });
  await Promise.all(FAILURES.map(commission));
});
afterAll(async () => {
  await producer[Symbol.asyncDispose]();
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("a producer whose gateway fails, and repeats and reorders events", () => {
  it.each(FAILURES)("asserts although the gateway $what", async (failure) => {
    await told("assertion.posted")(failure);
  });

  it("reveals what it asserted although the gateway was gone for many blocks", async () => {
    await meddler.goDown();
    const since = await sandbox.chain.head();
    await expect.poll(() => sandbox.chain.head()).toBeGreaterThan(since + 20);
    await meddler.comeBack();
    await producer.told("market.connected", 2);
  });

  it.each(FAILURES)("reveals and settles although the gateway $what", async (failure) => {
    await told("assertion.revealed")(failure);
    await told("assertion.settled")(failure);
  });

  it("has met every failure in every phase, and has lost no stake", async () => {
    const all = FAILURES.length;
    expect(producer.entries.filter(({ msg }) => msg === "bounty.seen")).toHaveLength(all);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: all, revealed: all, settled: all });
    expect(readLedger(folder.path)).toMatchObject({ settled: all, atRisk: 0n, wrong: 0, revealsMissed: 0 });
    const expected = FAILURES.flatMap(({ what, phases = EVERY_PHASE, times }) =>
      phases.map((phase) => [`${what}: ${phase}`, times]),
    );
    expect(Object.fromEntries(failed)).toEqual(Object.fromEntries(expected));
    expect(producer.text).toEqual([]);
  });
});

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { stringifyJson } from "../../src/json/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { Meddler } from "./meddler.ts";

const STRANGER = "0x00000000000000000000000000000000000000BB";
const Fields = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof Fields>;
const List = z.array(Fields);
const Receipts = z.looseObject({ assertions: List.optional(), reveals: List.optional() });
type Receipts = z.infer<typeof Receipts>;

/** What the gateway says about one bounty that is not so. */
interface Lie {
  readonly what: string;
  /** Of `GET /bounties/{guid}`; `times` is how often it lies, by default always. */
  readonly bounty?: (truth: Fields) => Fields;
  readonly times?: number;
  /** Of the answer with our assertion's receipt. */
  readonly receipt?: (truth: Receipts) => Receipts;
  /** Of the answer with our reveal's receipt. */
  readonly revealReceipt?: (truth: Receipts) => Receipts;
  /** Of the list of assertions. */
  readonly list?: (truth: readonly Fields[]) => readonly Fields[];
  /** Default: the bounty is seen through. */
  readonly abandoned?: { readonly why: RegExp; readonly detail: RegExp };
}

const failed = (): Receipts => ({ errors: ["transaction failed at block 12, error: somebody was faster"] });
const withAssertion =
  (change: Fields) =>
  (truth: Receipts): Receipts => ({
    ...truth,
    assertions: truth.assertions?.map((event) => ({ ...event, ...change })),
  });
const moved = (blocks: number) => (truth: Fields) => ({
  ...truth,
  expiration: Number(truth.expiration) + blocks,
});

const LIES: readonly Lie[] = [
  {
    what: "another bounty's GUID, twice",
    bounty: (truth) => ({ ...truth, guid: randomUUID() }),
    times: 2,
  },
  {
    what: "another bounty's GUID whenever it is asked",
    bounty: (truth) => ({ ...truth, guid: randomUUID() }),
    abandoned: { why: /^market-failed$|^too-late$/, detail: /the marketplace tells of bounty/ },
  },
  {
    what: "no artifacts",
    bounty: (truth) => ({ ...truth, num_artifacts: 0 }),
    abandoned: { why: /^market-failed$|^too-late$/, detail: /num_artifacts/ },
  },
  {
    what: "10,000 artifacts",
    bounty: (truth) => ({ ...truth, num_artifacts: 10_000 }),
    abandoned: { why: /^market-failed$|^too-late$/, detail: /num_artifacts/ },
  },
  {
    what: "an expiration that is long past",
    bounty: moved(-1_000_000),
    abandoned: { why: /^too-late$|^market-failed$/, detail: /./ },
  },
  { what: "a receipt with another index", receipt: withAssertion({ index: 9 }) },
  { what: "a receipt with somebody else's assertion", receipt: withAssertion({ author: STRANGER }) },
  { what: "a receipt for another bounty", receipt: withAssertion({ bounty_guid: randomUUID() }) },
  { what: "a receipt without events", receipt: () => ({ errors: [] }) },
  { what: "a receipt that claims the assertion reverted", receipt: failed },
  { what: "a receipt that claims the reveal reverted", revealReceipt: failed },
  {
    what: "a list of assertions in the wrong order, and no receipt",
    receipt: () => ({ errors: [] }),
    list: (truth) => truth.toReversed(),
  },
  {
    what: "a list of assertions that leaves out ours, and a receipt that claims a revert",
    receipt: failed,
    list: () => [],
    times: 3,
  },
];

const ANSWERED = LIES.filter((lie) => lie.abandoned === undefined);

const TRUTH = Symbol("truth");

const folder = temporaryFolder();
let sandbox: Sandbox;
let meddler: Meddler;
let producer: EngineProcess;
const told = new Map<Lie, string>();
const lieAbout = (guid: unknown) => [...told].find(([, about]) => about === guid)?.[0];

/** Each bounty that the producer asks for is lied about in a way of its own. */
function deceive(): void {
  const asked = new Map<Lie, number>();
  const lies = (lie: Lie): boolean => {
    asked.set(lie, (asked.get(lie) ?? 0) + 1);
    return asked.get(lie)! <= (lie.times ?? Number.POSITIVE_INFINITY);
  };
  meddler.alter(/^GET \/bounties\/([-0-9a-f]{36})\?/, (truth, { caught }) => {
    // The list just told of many that nobody ever posted.
    if (!Fields.safeParse(truth).success) return truth;
    const next = LIES[told.size];
    if (lieAbout(caught) === undefined && next !== undefined) told.set(next, caught);
    const lie = lieAbout(caught);
    return lie?.bounty !== undefined && lies(lie) ? lie.bounty(Fields.parse(truth)) : truth;
  });
  meddler.alter(/^GET \/bounties\/([-0-9a-f]{36})\/assertions\?/, (truth, { caught }) => {
    const lie = lieAbout(caught);
    return lie?.list !== undefined && lies(lie) ? lie.list(List.parse(truth)) : truth;
  });
  meddler.alter(/^GET \/transactions\?/, (truth) => {
    const receipts = Receipts.parse(truth);
    const [assertion] = receipts.assertions ?? [];
    const [reveal] = receipts.reveals ?? [];
    const lie = lieAbout((assertion ?? reveal)?.bounty_guid);
    const change = assertion === undefined ? lie?.revealReceipt : lie?.receipt;
    return change?.(receipts) ?? truth;
  });
}

let bounties = 0;
const post = () =>
  sandbox.postBounty({
    contents: [Buffer.concat([EICAR, Buffer.from(`${bounties++}`)])],
    truth: [true],
    duration: 16,
    reward: REWARD,
  });
const say = (event: string, data: object) => meddler.say(stringifyJson({ event, data }));
const about = (guid: string | undefined) => (entry: Entry) => entry.guid === guid;

beforeAll(async () => {
  sandbox = await openMarket(folder.path);
  meddler = await Meddler.open(sandbox.url);
  meddler.alter(/^GET \/bounties\?/, () => Array.from({ length: 75 }, () => randomUUID()));
  const absurd: readonly unknown[] = ["-1", -1, "soon", 2n ** 256n, null];
  // Once for whoever asks at the start whether there were transactions, and once for whoever signs.
  const nonces = [...absurd, TRUTH, ...absurd];
  meddler.alter(/^GET \/nonce\?/, (truth) => {
    const nonce = nonces.length > 0 ? nonces.shift() : TRUTH;
    return nonce === TRUTH ? truth : nonce;
  });
  producer = new EngineProcess([
    ...producerFlags(meddler.url, folder.path),
    ...["--embedded", "1", "--benign", "eicar=0.8"],
  ]);
  // A consumer needs a moment to begin, and bounties wait for nobody.
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
});
afterAll(async () => {
  await producer[Symbol.asyncDispose]();
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("a producer whose gateway lies", () => {
  it("answers its first bounty although nonces, newest block and the list of bounties are absurd", async () => {
    meddler.alter(/^GET \/status/, (truth) => {
      const status = Fields.parse(truth);
      return { ...status, side: { ...Fields.parse(status.side), block: 9_007_199_254_740_991 } };
    });
    const guid = await post();
    await producer.told("assertion.posted", 1, about(guid));
    // Told of once, however often the list is looked at.
    expect(producer.entries.filter(({ msg }) => msg === "backfill.delayed")).toHaveLength(1);
    meddler.repent();
    deceive();
    await Promise.all(LIES.map(post));
    await producer.told("assertion.posted", ANSWERED.length + 1);
  });

  it("stakes nothing at a fee beyond reason, and goes on when the fee is what it was", async () => {
    let dear = true;
    meddler.alter(/^GET \/bounties\/parameters\?/, (truth) =>
      dear ? { ...Fields.parse(truth), assertion_fee: 10n ** 24n } : truth,
    );
    say("fee_update", { bounty_fee: 10n ** 24n, assertion_fee: 10n ** 24n });
    await producer.told("market.parameters", 1, ({ assertionFee }) => assertionFee === "1000000");
    const guid = await post();
    const [abandoned] = await producer.told("bounty.abandoned", 1, about(guid));
    expect(abandoned).toMatchObject({ why: expect.stringMatching(/^over-limit$|^thin-purse$/) });
    dear = false;
    meddler.hangUp();
    await producer.told("market.connected", 2);
    await producer.told("assertion.posted", 1, about(await post()));
  });

  it("answers again when a bounty is posted after a deprecation that never was", async () => {
    const frame = { event: "deprecated", data: { rollover: true }, block_number: await sandbox.chain.head() };
    meddler.say(stringifyJson(frame));
    await producer.told("market.deprecated");
    await producer.told("assertion.posted", 1, about(await post()));
  });

  it("sees a bounty through while forged events tell of its quorum, reveal and settlement, and of absurd blocks", async () => {
    const guid = await post();
    await producer.told("assertion.posted", 1, about(guid));
    const ours = { bounty_guid: guid, author: sandbox.account, settler: sandbox.account, index: 0 };
    say("quorum", ours);
    say("settled_bounty", { ...ours, payout: 10n ** 30n });
    say("reveal", { ...ours, nonce: "1", verdicts: [true], metadata: "" });
    for (const number of [2n ** 53n - 1n, 10n ** 15n, 10n ** 30n, -7, 0]) say("block", { number });
    await producer.told("assertion.revealed", 1, about(guid));
  });

  it.each(ANSWERED)("sees a bounty through about which the gateway tells $what", async (lie) => {
    await producer.told("assertion.revealed", 1, (entry) => entry.guid === told.get(lie));
  });

  it.each(LIES.filter((lie) => lie.abandoned !== undefined))(
    "stakes nothing on a bounty about which the gateway tells $what, and says why",
    async (lie) => {
      const [entry] = await producer.told("bounty.abandoned", 1, ({ guid }) => guid === told.get(lie));
      const { why, detail } = lie.abandoned!;
      expect(entry).toMatchObject({ why: expect.stringMatching(why), detail: expect.stringMatching(detail) });
    },
  );

  it("loses no stake to all of that", async () => {
    const all = ANSWERED.length + 4;
    const settled = await producer.told("assertion.settled", all);
    // Nobody can pay more than there is.
    expect(settled.filter(({ payout }) => payout !== "unknown" && Number(payout) > 100)).toEqual([]);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: all, revealed: all, settled: all });
    expect(readLedger(folder.path)).toMatchObject({ settled: all, atRisk: 0n, wrong: 0, revealsMissed: 0 });
    expect(producer.text).toEqual([]);
  });
});

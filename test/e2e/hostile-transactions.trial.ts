import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eth, utils } from "web3";
import { z } from "zod";
import type { Guid } from "../../src/domain/guid.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { type Alteration, ASSERTIONS, type Built, REVEALS, SETTLEMENTS } from "./altered-transactions.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { Meddler } from "./meddler.ts";
import { scrape } from "./scrape.ts";

/** What the producer may send, by selector. */
const CALLS: Readonly<Record<string, string>> = {
  "0x095ea7b3": "approve",
  "0xea11731e": "postAssertion",
  "0xf8f32de6": "revealAssertion",
  "0x5592d687": "settleBounty",
};
const DUTIES = {
  assert: { route: /^POST \/bounties\/([-0-9a-f]+)\/assertions\?/, alterations: ASSERTIONS },
  reveal: { route: /^POST \/bounties\/([-0-9a-f]+)\/assertions\/\d+\/reveal\?/, alterations: REVEALS },
  settle: { route: /^POST \/bounties\/([-0-9a-f]+)\/settle\?/, alterations: SETTLEMENTS },
};
type Action = keyof typeof DUTIES;
const BOUNTIES = ASSERTIONS.length;
const EVERY = ASSERTIONS.length + REVEALS.length + SETTLEMENTS.length;

const folder = temporaryFolder();
let sandbox: Sandbox;
let meddler: Meddler;
let producer: EngineProcess;
/** The bounty that each alteration was tried on. */
const tried = new Map<Alteration, Guid>();
/** Every transaction that left the producer. */
const posted = new Set<string>();

const Transactions = z.object({ transactions: z.array(z.custom<Built>()) });
const Posted = z.object({ transactions: z.array(z.string()) });

/** The bounty about which no lie is told. */
const honest = new Set<string>();
const postBounty = async (at: number): Promise<string> => {
  const contents = [Buffer.concat([EICAR, Buffer.from(`${at}`)]), Buffer.from(`nothing in number ${at}`)];
  return sandbox.postBounty({ contents, truth: [true, false], duration: 24, reward: REWARD });
};

const refusalOf = (action: Action, guid: string) => (entry: Entry) =>
  entry.msg === "transaction.refused" && String(entry.reason).includes(`the ${action} of bounty ${guid}`);

/** The first answer about a bounty is altered in a way that no other bounty's is; then the gateway is honest. */
function deceive(action: Action): void {
  const { route, alterations } = DUTIES[action];
  const deceived = new Map<string, Alteration>();
  meddler.alter(route, (truth, { caught }) => {
    const before = deceived.get(caught);
    const alteration = before ?? alterations[deceived.size];
    if (alteration === undefined || honest.has(caught)) return truth;
    // A settlement is also built to learn the contracts from, and then thrown away: that one was not the first.
    if (before !== undefined && (action !== "settle" || producer.entries.some(refusalOf(action, caught))))
      return truth;
    deceived.set(caught, alteration);
    tried.set(alteration, caught as Guid);
    return { transactions: alteration.alter(Transactions.parse(truth).transactions) };
  });
}

const decoded = (raw: string) => {
  const { to, value, data } = eth.accounts.TransactionFactory.fromSerializedData(
    utils.hexToBytes(`0x${raw}`),
  );
  return { to: to?.toString().toLowerCase(), value, call: CALLS[utils.bytesToHex(data.subarray(0, 4))] };
};

const Block = z.object({ transactions: z.array(z.object({ from: z.string() })) });
/** How many transactions of ours are mined. */
async function minedOfOurs(): Promise<number> {
  const head = await sandbox.chain.head();
  const numbers = Array.from({ length: head + 1 }, (_, number) => `0x${number.toString(16)}`);
  const blocks = await Promise.all(
    numbers.map((number) => sandbox.chain.rpc("eth_getBlockByNumber", [number, true])),
  );
  const ours = sandbox.account?.toLowerCase();
  return blocks.flatMap((block) => Block.parse(block).transactions).filter(({ from }) => from === ours)
    .length;
}

beforeAll(async () => {
  sandbox = await openMarket(folder.path);
  meddler = await Meddler.open(sandbox.url);
  producer = new EngineProcess([
    ...producerFlags(meddler.url, folder.path),
    ...["--embedded", "1", "--benign", "eicar=0.8"],
  ]);
  // A consumer needs a moment to begin, and bounties wait for nobody.
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  // The contracts are known from an honest bounty: nothing about them is left to learn.
  honest.add(await postBounty(-1));
  await producer.told("assertion.posted");
  for (const action of Object.keys(DUTIES)) deceive(action as Action);
  meddler.forge(/^POST \/transactions\?/, ({ body }) => {
    for (const raw of Posted.parse(body).transactions) posted.add(raw);
    return undefined;
  });
  await Promise.all(Array.from({ length: BOUNTIES }, (_, at) => postBounty(at)));
});
afterAll(async () => {
  await producer[Symbol.asyncDispose]();
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The alteration was refused in words that name it, and the bounty was seen through once the gateway was honest. */
async function refuses(alteration: Alteration, action: Action, afterwards: string): Promise<void> {
  const refusals = await producer.told("transaction.refused", 1, (entry) => {
    const about = tried.get(alteration);
    return about !== undefined && refusalOf(action, about)(entry);
  });
  expect(refusals.map(({ reason }) => reason)).toEqual([expect.stringMatching(alteration.told)]);
  await producer.told(afterwards, 1, ({ guid }) => guid === tried.get(alteration));
}

describe("a producer that is handed something else to sign than it asked for", () => {
  it.each(ASSERTIONS)("refuses, for an assertion, $what, and asserts when handed the right thing", (it) =>
    refuses(it, "assert", "assertion.posted"),
  );

  it.each(REVEALS)("refuses, for a reveal, $what, and reveals when handed the right thing", (it) =>
    refuses(it, "reveal", "assertion.revealed"),
  );

  it.each(SETTLEMENTS)("refuses, for a settlement, $what, and settles when handed the right thing", (it) =>
    refuses(it, "settle", "assertion.settled"),
  );

  it("has counted each refusal, has signed nothing but its own calls, and has lost no stake", async () => {
    await producer.told("assertion.settled", BOUNTIES + 1);
    const [listening] = await producer.told("http.listening", 1, ({ name }) => name === "producer");
    const counted = await scrape(Number(listening?.port));
    const refusals = producer.entries.filter(({ msg }) => msg === "transaction.refused").length;
    expect(refusals).toBeGreaterThanOrEqual(EVERY);
    expect(counted("signatures_refused_total")).toBe(refusals);

    const { token, registry } = sandbox.chain.contracts;
    const addressee = (call: string) => (call === "approve" ? token : registry).address.toLowerCase();
    for (const { to, value, call } of [...posted].map(decoded)) {
      expect({ to, value, call }).toEqual({ to: addressee(call!), value: 0n, call: expect.any(String) });
    }
    const all = BOUNTIES + 1;
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: all, revealed: all, settled: all });
    // An approval with each assertion, and nothing else.
    expect(await minedOfOurs()).toBe(4 * all);
    expect(readLedger(folder.path)).toMatchObject({ settled: all, atRisk: 0n, wrong: 0, revealsMissed: 0 });
    expect(producer.text).toEqual([]);
  });
});

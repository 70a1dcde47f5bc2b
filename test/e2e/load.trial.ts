import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { Chronicle } from "../chaos/chronicle.ts";
import { judge } from "../chaos/referee.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";

const BOUNTIES = 200;
const DURATION = 40;

const NewAssertion = z.object({
  bountyGuid: z.bigint().transform(uintToGuid),
  author: z.string(),
  bid: z.array(z.bigint()),
});

describe("200 bounties posted at once", () => {
  const folder = temporaryFolder();
  let sandbox: Sandbox;
  let producer: EngineProcess;
  let chronicle: Chronicle;
  let guids: readonly Guid[];

  beforeAll(async () => {
    const windows = { durationBlocks: DURATION, revealWindow: 16, voteWindow: 20 };
    sandbox = await openMarket(folder.path, { ...windows, arbiters: 1, rivals: 0 });
    chronicle = new Chronicle(sandbox.chain, sandbox.account!, await sandbox.chain.head());
    producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), "--embedded", "2"]);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving", 2)]);
    guids = await sandbox.postBounties(
      Array.from({ length: BOUNTIES }, (_, index) => ({
        contents: [Buffer.concat([EICAR, Buffer.alloc(1 + (index % 50), " ")])],
        truth: [true],
        duration: DURATION,
        reward: REWARD,
      })),
    );
    await producer.told("assertion.settled", BOUNTIES);
    await chronicle.readTo(await sandbox.chain.head());
  });
  afterAll(async () => {
    await producer[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("stand within two blocks", () => {
    const blocks = chronicle.bounties.map(({ block }) => block);
    expect(blocks).toHaveLength(BOUNTIES);
    expect(Math.max(...blocks) - Math.min(...blocks)).toBeLessThan(2);
  });

  it("are all asserted before they expire, revealed and settled, each once", () => {
    const up = [{ from: 0, to: Number.POSITIVE_INFINITY }];
    expect(
      judge({ bounties: chronicle.bounties, transactions: chronicle.transactions, up, answerBlocks: 0 }),
    ).toMatchObject({
      posted: BOUNTIES,
      asserted: BOUNTIES,
      missed: [],
      doubleAsserted: [],
      unrevealed: [],
      unsettled: [],
    });
  });

  it("cost no failed transaction: one approval and one assertion, one reveal, one settlement each", () => {
    expect(chronicle.transactions.filter(({ reverted }) => reverted !== undefined)).toEqual([]);
    expect(chronicle.transactions).toHaveLength(4 * BOUNTIES);
  });

  it("get the bids that were planned for them, and leave no allowance behind", async () => {
    using ledger = openLedger(join(folder.path, "data", "ledger.sqlite"), systemClock);
    const planned = guids.map((guid) => [guid, ledger.assertion({ market: "side", guid })?.bids]);
    const { chain, account } = sandbox;
    const logs = await chain.logs(0, await chain.head());
    const asserted = logs
      .filter(({ event }) => event === "NewAssertion")
      .map(({ args }) => NewAssertion.parse(args))
      .map(({ bountyGuid, bid }) => [bountyGuid, bid] as const);
    expect(Object.fromEntries(asserted)).toEqual(Object.fromEntries(planned));
    const { token, registry } = chain.contracts;
    expect(await chain.call(token, "allowance", [account, registry.address])).toEqual([0n]);
  });
});

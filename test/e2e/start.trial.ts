import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { freePort } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger, skipToReveals, WIDE } from "./market.ts";
import { about } from "./meddled-market.ts";
import { Meddler } from "./meddler.ts";

const EMBEDDED = ["--embedded", "1", "--benign", "eicar=0.8"];
const DOWN = { status: 500, text: `{"message":"HTTPConnectionPool(host='ipfs', port=5001)"}` };
const POISONED = { status: 400, text: `{"status":"FAIL","errors":"Could not retrieve parameters"}` };

/** One market for all tests of this file; each leaves one stake behind, unrevealed, and starts anew. */
describe("a producer that is started with a stake open", () => {
  const folder = temporaryFolder();
  let sandbox: Sandbox;
  let meddler: Meddler;
  let guid: Guid;
  let staked = 0;

  const start = (...flags: readonly string[]) =>
    new EngineProcess([...producerFlags(meddler.url, folder.path), ...(flags.length > 0 ? flags : EMBEDDED)]);

  beforeAll(async () => {
    sandbox = await openMarket(folder.path, WIDE);
    meddler = await Meddler.open(sandbox.url);
  });
  afterAll(async () => {
    await meddler[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  beforeEach(async () => {
    meddler.repent();
    await using producer = start();
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
    const contents = [Buffer.concat([EICAR, Buffer.from(`${staked++}`)])];
    guid = await sandbox.postBounty({
      contents,
      truth: [true],
      duration: WIDE.durationBlocks,
      reward: REWARD,
    });
    await producer.told("assertion.posted", 1, about(guid));
    await producer.kill("SIGKILL");
    await skipToReveals(sandbox);
  });

  const revealedAll = async () => {
    expect(await deedsOnChain(sandbox)).toMatchObject({ asserted: staked, revealed: staked });
    expect(readLedger(folder.path).revealsMissed).toBe(0);
  };

  it("reveals although the gateway's status fails for ever, and answers as well", async () => {
    meddler.spoil(/^GET [^?]*\/status/, DOWN, "always");
    await using producer = start();
    await producer.told("assertion.revealed", 1, about(guid));
    await producer.told("producer.ready");
    await revealedAll();
  });

  it("reveals although the gateway refuses to say its parameters, and answers once it does", async () => {
    meddler.spoil(/^GET [^?]*\/bounties\/parameters/, POISONED, "always");
    await using producer = start();
    await producer.told("assertion.revealed", 1, about(guid));
    await revealedAll();
    expect(producer.entries.map(({ msg }) => msg)).not.toContain("producer.ready");
    meddler.repent();
    await producer.told("producer.ready");
  });

  it("reveals although there is no Redis, and goes on waiting for it", async () => {
    const away = ["--redis-addr", `127.0.0.1:${await freePort()}`, "--wait", "1"];
    await using producer = start(...away);
    await producer.told("assertion.revealed", 1, about(guid));
    const [entry] = await producer.told("producer.not-answering");
    expect(entry).toMatchObject({ level: "error", reason: expect.stringContaining("No Redis answers") });
    expect(Number(entry?.promised)).toBeGreaterThan(0);
    await revealedAll();
  });

  it("reveals although its strategy cannot be loaded, and answers once it can", async () => {
    const strategy = join(folder.path, "strategy.ts");
    await using producer = start(...EMBEDDED, "--bid-strategy", strategy);
    await producer.told("assertion.revealed", 1, about(guid));
    await producer.told("producer.not-answering", 1, ({ reason }) => String(reason).includes(strategy));
    await revealedAll();
    writeFileSync(
      strategy,
      `export const bidStrategy = { name: "mine", bid: () => ({ kind: "abstain", why: "so" }) };`,
    );
    await producer.told("producer.ready", 1, ({ strategy: name }) => name === "mine");
  });

  it("hands over first what was signed before, and says so before anything else", async () => {
    // Signed, and swallowed on its way.
    meddler.spoil(/^POST [^?]*\/transactions/, "hang", "always");
    await using killed = start();
    await killed.told("producer.keeping-promises");
    await expect.poll(() => readLedgerState(folder.path, guid)).toBe("revealing");
    await killed.kill("SIGKILL");
    meddler.repent();
    await using producer = start();
    await producer.told("assertion.revealed", 1, about(guid));
    expect(producer.entries[0]).toMatchObject({ msg: "reveals.handed-over", market: "side", reveals: 1 });
    await revealedAll();
  });

  it("loses no stake to a supervisor that kills it again and again, long before it is ready", async () => {
    // Three seconds on a quiet machine: by the events of the start, so that a busy one is no excuse and no trap.
    const revealed = async () => (await deedsOnChain(sandbox)).revealed === staked;
    let rounds = 0;
    for (; rounds < 10 && !(await revealed()); rounds++) {
      const producer = start(...EMBEDDED, "--bid-strategy", join(folder.path, "none.ts"));
      await producer.told("producer.keeping-promises");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await producer.kill("SIGKILL");
    }
    expect(rounds).toBeLessThan(10);
    await revealedAll();
  });
});

function readLedgerState(folder: string, guid: Guid): string | undefined {
  using ledger = openLedger(join(folder, "data", "ledger.sqlite"), systemClock);
  return ledger.find({ market: "side", guid })?.state;
}

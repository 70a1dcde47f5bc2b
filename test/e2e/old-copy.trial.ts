import { copyFileSync, cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
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

const EMBEDDED = ["--embedded", "1", "--benign", "eicar=0.8"];

it("an old copy of a ledger that is put back costs none of the stakes placed since", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, WIDE);
  const start = () => new EngineProcess([...producerFlags(sandbox.url, folder.path), ...EMBEDDED]);
  const post = (note: string) =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(note)])],
      truth: [true],
      duration: WIDE.durationBlocks,
      reward: REWARD,
    });
  const answer = async (notes: readonly string[]) => {
    await using producer = start();
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
    for (const note of notes) await post(note);
    await producer.told("assertion.posted", notes.length);
    await producer.kill("SIGKILL");
  };
  const [data, copy] = [join(folder.path, "data"), join(folder.path, "copy")];
  await answer(["before"]);
  cpSync(data, copy, { recursive: true });
  await answer(["since 1", "since 2", "since 3"]);
  rmSync(data, { recursive: true });
  cpSync(copy, data, { recursive: true });

  await using producer = start();
  const [salvaged] = await producer.told("recover.salvaged");
  expect(salvaged).toMatchObject({ rebuilt: 3, notRebuilt: 0 });
  await skipToReveals(sandbox);
  await producer.told("assertion.revealed", 4);
  await skipToVotes(sandbox);
  await producer.told("assertion.settled", 4);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 4, revealed: 4, settled: 4 });
  expect(readLedger(folder.path)).toMatchObject({ asserted: 4, settled: 4, atRisk: 0n, revealsMissed: 0 });
  expect(await producer.kill("SIGTERM")).toBe(0);

  await using again = start();
  await again.told("producer.ready");
  expect(again.entries.filter(({ msg }) => msg.startsWith("recover."))).toEqual([]);
});

it("a sandbox that was begun anew is told from the ledger's, and its old stakes are written off in one line", async () => {
  using folder = temporaryFolder();
  const start = (url: string) => new EngineProcess([...producerFlags(url, folder.path), ...EMBEDDED]);
  const keys = ["keyfile", "password"].map((name) => join(folder.path, "wallet", name));
  {
    await using sandbox = await openMarket(folder.path, WIDE);
    await using producer = start(sandbox.url);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
    await sandbox.postBounty({
      contents: [EICAR],
      truth: [true],
      duration: WIDE.durationBlocks,
      reward: REWARD,
    });
    await producer.told("assertion.posted");
    await producer.kill("SIGKILL");
    for (const key of keys) copyFileSync(key, `${key}.kept`);
  }
  await using anew = await openMarket(folder.path, WIDE);
  for (const key of keys) copyFileSync(`${key}.kept`, key);
  await using producer = start(anew.url);
  const [written] = await producer.told("market.begun-anew");
  expect(written).toMatchObject({ level: "error", market: "side", bounties: 1 });
  await producer.told("producer.ready");
  const names = producer.entries.map(({ msg }) => msg);
  expect(names.filter((msg) => ["assertion.vanished", "duty.failed"].includes(msg)).length).toBeLessThan(2);
  expect(readLedger(folder.path)).toMatchObject({ atRisk: 0n });
});

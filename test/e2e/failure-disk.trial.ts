import { expect, it } from "vitest";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { run } from "./run-process.ts";

/** No file of the process grows beyond so many bytes: what a full disk does, to this process alone. */
async function limitFiles(pid: number, bytes: number | "unlimited"): Promise<void> {
  // The soft limit only, or nobody but root could lift it again.
  const { code, stderr } = await run("prlimit", ["--pid", `${pid}`, `--fsize=${bytes}:unlimited`]).catch(
    () => {
      throw new Error("This test needs prlimit, which is part of util-linux.");
    },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

it("promises nothing while the disk is full, reveals and settles all the same, and goes on when there is room", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path);
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), "--embedded", "1"]);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  let bounties = 0;
  const post = (duration: number) =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(`${bounties++}`)])],
      truth: [true],
      duration,
      reward: REWARD,
    });
  const about = (guid: string) => (entry: Entry) => entry.guid === guid;

  const before = await post(14);
  const [ready] = await producer.told("producer.ready");
  await producer.told("assertion.posted", 1, about(before));
  await limitFiles(Number(ready?.pid), 1);

  const meanwhile = await post(8);
  await producer.told("assertion.revealed", 1, about(before));
  await producer.told("assertion.settled", 1, about(before));
  const complaints = producer.entries.filter(({ msg }) => msg === "ledger.unwritable");
  expect(complaints).toMatchObject([{ level: "error", reason: expect.stringMatching(/disk|full|I\/O/i) }]);
  expect(
    producer.entries.filter((entry) => entry.msg === "assertion.planned" && about(meanwhile)(entry)),
  ).toEqual([]);

  await limitFiles(Number(ready?.pid), "unlimited");
  await producer.told("ledger.writable");
  const after = await post(14);
  await producer.told("assertion.settled", 1, about(after));
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 2, revealed: 2, settled: 2 });
  expect(readLedger(folder.path)).toMatchObject({ asserted: 2, revealed: 2, settled: 2, atRisk: 0n });
  expect(producer.text).toEqual([]);
});

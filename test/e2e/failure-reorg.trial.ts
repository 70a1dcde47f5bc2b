import { expect, it } from "vitest";
import { parseJson } from "../../src/json/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { Meddler } from "./meddler.ts";

/** Blocks between a bounty and our hearing of it, so that what is taken back does not reach down to the bounty. */
const HEARD_AFTER = 4;

/** Takes back the block in which our account did this, and all behind it; others without transactions come instead. */
async function takeBack(sandbox: Sandbox, event: "NewAssertion" | "RevealedAssertion"): Promise<void> {
  const head = await sandbox.chain.head();
  const logs = await sandbox.chain.logs(0, head);
  const ours = logs.findLast(
    (log) => log.event === event && String(log.args.author).toLowerCase() === sandbox.account?.toLowerCase(),
  );
  const depth = head - ours!.blockNumber + 1;
  // Blocks go on meanwhile: one more, rather than one too few.
  await sandbox.chain.rpc("anvil_reorg", [depth + 1, []]);
}

it("asserts and reveals again what the chain took back, and settles it", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, { revealWindow: 14 });
  await using meddler = await Meddler.open(sandbox.url);
  const held: { frame: Buffer; blocks: number }[] = [];
  meddler.meddle = (frame) => {
    const { event } = parseJson(frame.toString()) as { event: string };
    if (event === "bounty") held.push({ frame, blocks: 0 });
    if (event === "bounty") return [];
    if (event === "block") for (const bounty of held) bounty.blocks++;
    const due = held.filter(({ blocks }) => blocks === HEARD_AFTER).map((bounty) => bounty.frame);
    return [frame, ...due];
  };
  // Nor is it found in the list before.
  meddler.spoil(/^GET \/bounties\?/, { status: 200, text: '{"status":"OK","result":[]}' }, "always");
  await using producer = new EngineProcess([...producerFlags(meddler.url, folder.path), "--embedded", "1"]);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  const deed = (name: string) => expect.poll(async () => (await deedsOnChain(sandbox))[name]).toBe(1);
  await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 26, reward: REWARD });

  await producer.told("assertion.posted");
  await takeBack(sandbox, "NewAssertion");
  expect(await deedsOnChain(sandbox)).toMatchObject({ asserted: 0 });
  await deed("asserted");

  await producer.told("assertion.revealed");
  await takeBack(sandbox, "RevealedAssertion");
  expect(await deedsOnChain(sandbox)).toMatchObject({ asserted: 1, revealed: 0 });
  await deed("revealed");

  const [settled] = await producer.told("assertion.settled");
  expect(settled).toMatchObject({ right: 1, wrong: 0 });
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
  expect(readLedger(folder.path)).toMatchObject({ settled: 1, atRisk: 0n, revealsMissed: 0 });
});

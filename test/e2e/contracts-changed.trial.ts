import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD } from "./market.ts";
import { Meddler } from "./meddler.ts";
import { microengine } from "./run-process.ts";

const ELSEWHERE = "0x00000000000000000000000000000000000B0717";
const BUILDS = /^POST .*\/(?:assertions|reveal|settle)(?:\?|$)/;
const Built = z.object({ transactions: z.array(z.looseObject({ to: z.string() })) });

const folder = temporaryFolder();
let sandbox: Sandbox;
let meddler: Meddler;

/** From now on the gateway builds for another registry, and for nothing else that is different. */
function move(): void {
  const registry = sandbox.chain.contracts.registry.address.toLowerCase();
  meddler.alter(BUILDS, (truth) => {
    const built = Built.safeParse(truth);
    if (!built.success) return truth;
    return {
      transactions: built.data.transactions.map((transaction) =>
        transaction.to.toLowerCase() === registry ? { ...transaction, to: ELSEWHERE } : transaction,
      ),
    };
  });
}

const flags = () => [...producerFlags(meddler.url, folder.path), "--embedded", "1", "--benign", "eicar=0.8"];

beforeAll(async () => {
  sandbox = await openMarket(folder.path);
  meddler = await Meddler.open(sandbox.url);
});
afterAll(async () => {
  await meddler[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

it("a producer ends with exit code 2 and one sentence when its gateway begins to build for another registry", async () => {
  await using producer = new EngineProcess(flags());
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  move();
  await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 24, reward: REWARD });
  expect(await producer.ended).toBe(2);
  const [sentence] = producer.text;
  expect(sentence).toMatch(/^microengine: The gateway works with other contracts on the side chain/);
  expect(sentence).toContain(ELSEWHERE);
  expect(sentence).toContain(sandbox.chain.contracts.registry.address);
  // Orderly: it said what is owed, and signed nothing.
  expect(producer.entries.map(({ msg }) => msg)).toContain("producer.stopped");
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 0, revealed: 0, settled: 0 });
});

it("a producer does not start with a gateway that builds for another registry than its ledger knows", async () => {
  const { code, stderr } = await microengine([...flags(), "--log", "error"]);
  expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 2, lines: 1 });
  expect(stderr).toMatch(
    /^microengine: The gateway works with other contracts on the side chain.*--registry-addr/,
  );
});

it("a producer does not start with a gateway that will not say which contracts it works with", async () => {
  meddler.spoil(BUILDS, { status: 502, text: "<html>Bad Gateway</html>" }, "always");
  const { code, stderr } = await microengine([...flags(), "--log", "error", "--wait", "2"]);
  expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 2, lines: 1 });
  expect(stderr).toMatch(/^microengine: The gateway does not say which contracts it works with.*--wait/);
});

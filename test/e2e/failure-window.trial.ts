import { expect, it } from "vitest";
import { z } from "zod";
import { parseJson } from "../../src/json/json.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD } from "./market.ts";
import { Meddler } from "./meddler.ts";

const Bounty = z.object({ event: z.literal("bounty"), data: z.object({ guid: z.string() }) });
const Body = z.object({ transactions: z.array(z.string()) });

it("reveals within ten blocks of a second what a gateway swallowed, refused for a moment, or gives no account of", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, { revealWindow: 10, blockTimeMs: 1_000 });
  await using meddler = await Meddler.open(sandbox.url);
  const bounties: string[] = [];
  meddler.meddle = (frame) => {
    const bounty = Bounty.safeParse(parseJson(frame.toString())).data?.data.guid;
    if (bounty !== undefined) bounties.push(bounty);
    return [frame];
  };
  /** Of the first, the building of its reveal is swallowed once. */
  const asked = new Set<string>();
  meddler.forge(/^POST \/bounties\/([-0-9a-f]{36})\/assertions\/\d+\/reveal\?/, ({ caught }) => {
    const again = asked.has(caught);
    asked.add(caught);
    return caught === bounties[0] && !again ? "hang" : undefined;
  });
  /** Those of the others are not passed on, for about a second. */
  let refused = 0;
  meddler.forge(/^POST \/transactions\?/, ({ body }) => {
    const { transactions } = Body.parse(body);
    const theirs = [...asked].filter((guid) => guid !== bounties[0]).map((guid) => guid.replaceAll("-", ""));
    const reveals = transactions.some((raw) => theirs.some((digits) => raw.includes(digits)));
    return reveals && refused++ < 3 ? { status: 502, text: "<html>" } : undefined;
  });
  /** And nobody is told what became of the last. */
  meddler.forge(/^GET \/bounties\/([-0-9a-f]{36})\/assertions\?/, ({ caught }) =>
    caught === bounties[2] && asked.has(caught) ? "hang" : undefined,
  );
  await using producer = new EngineProcess([...producerFlags(meddler.url, folder.path), "--embedded", "1"]);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  for (const number of [0, 1, 2]) {
    const contents = [Buffer.concat([EICAR, Buffer.from(`${number}`)])];
    await sandbox.postBounty({ contents, truth: [true], duration: 14, reward: REWARD });
  }
  await producer.told("assertion.posted", 3);
  await expect
    .poll(() => deedsOnChain(sandbox), { interval: 500 })
    .toMatchObject({ asserted: 3, revealed: 3 });
  expect(refused).toBeGreaterThan(2);
  // Its own duties would wait for the answer that never comes.
  await producer.kill("SIGKILL");
});

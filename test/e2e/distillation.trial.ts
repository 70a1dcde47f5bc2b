import { expect, it } from "vitest";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";
import { microengine } from "./run-process.ts";

const QUICK = { blockTimeMs: 400, revealWindow: 8, voteWindow: 8, rivals: 0 };
/** The backend calls every EICAR file malicious; these arbiters never agree. */
const contradicted = (duration: number) => ({ contents: [EICAR], truth: [false], duration, reward: REWARD });

it("a producer stops staking on a backend that the arbiters always contradict, remembers it, and shows it", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, QUICK);
  const flags = [...producerFlags(sandbox.url, folder.path), "--embedded", "1"];
  {
    await using producer = new EngineProcess(flags);
    await producer.told("producer.ready");
    await producer.told("consumer.serving");
    await sandbox.postBounties(Array.from({ length: 8 }, () => contradicted(16)));
    const settled = await producer.told("assertion.settled", 8);
    expect(settled.map(({ right, wrong }) => ({ right, wrong }))).toEqual(
      settled.map(() => ({ right: 0, wrong: 1 })),
    );
    await sandbox.postBounty(contradicted(16));
    const [abandoned] = await producer.told("bounty.abandoned");
    expect(abandoned).toMatchObject({ why: "no-opinion", detail: "0: eicar malicious 1" });
    expect(await producer.kill("SIGTERM")).toBe(0);
  }
  await using again = new EngineProcess(flags);
  await again.told("producer.ready");
  await again.told("consumer.serving");
  const guid = await sandbox.postBounty(contradicted(24));
  expect((await again.told("bounty.abandoned", 1, (entry) => entry.guid === guid))[0]).toMatchObject({
    why: "no-opinion",
  });

  const dataDir = flags[flags.indexOf("--data-dir") + 1]!;
  const { code, stdout } = await microengine(["calibrate", "--data-dir", dataDir]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^8 settled artifacts, 0 of them malicious\.$/m);
  expect(stdout).toMatch(/^ {2}eicar +all +8 +- +0\.000 \(0\.000 to 0\.\d{3}\) of 8$/m);
});

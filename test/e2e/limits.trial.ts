import { expect, it } from "vitest";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { scrape } from "./scrape.ts";

/** Takes the backend at its word, whatever became of its words: every stake is the most that may be staked. */
const SURE = ["--distill", "lean"];
const QUICK = { blockTimeMs: 400, revealWindow: 8, voteWindow: 8, rivals: 0 };
/** `truth` is the arbiters': our backend calls every EICAR file malicious. */
const eicar = (duration: number, truth = true) => ({
  contents: [EICAR],
  truth: [truth],
  duration,
  reward: REWARD,
});

it.concurrent("a producer stakes up to its limits, says which one binds, and stakes again when something was settled", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, QUICK);
  await using producer = new EngineProcess(
    [...producerFlags(sandbox.url, folder.path), "--embedded", "1", "--max-at-risk", "1.5", ...SURE],
    { MAX_STAKE_PER_BOUNTY: "0.9" },
  );
  await producer.told("producer.ready");
  await producer.told("consumer.serving");
  const planned = async (count: number) => (await producer.told("assertion.planned", count)).at(-1)?.stake;

  await sandbox.postBounties([eicar(16), eicar(16), eicar(16)]);
  expect([await planned(1), await planned(2)]).toEqual(["0.9", "0.6"]);
  const [refused] = await producer.told("bounty.abandoned");
  expect(refused).toMatchObject({
    why: "over-limit",
    detail: "0 NCT may be staked now; at most 1.5 NCT at risk: --max-at-risk (variable MAX_AT_RISK)",
  });

  const [listening] = await producer.told("http.listening");
  const metrics = await scrape(Number(listening?.port));
  expect(metrics("limit_nct", { limit: "at-risk" })).toBe(1.5);
  expect(metrics("limit_used_nct", { limit: "at-risk" })).toBe(1.5);
  expect(metrics("limit_nct", { limit: "stake-per-bounty" })).toBe(0.9);
  expect(metrics("limit_used_nct", { limit: "stake-per-hour" })).toBe(1.5);
  expect(metrics("bounties_abandoned_total", { why: "over-limit" })).toBe(1);

  await producer.told("assertion.settled", 2);
  await sandbox.postBounty(eicar(16));
  expect(await planned(3)).toBe("0.9");
  expect(await deedsOnChain(sandbox)).toMatchObject({ revealed: 2, settled: 2 });
});

it.concurrent("a producer that lost too much asserts nothing new, keeps what it promised, and does not forget by a restart", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, QUICK);
  const flags = [...producerFlags(sandbox.url, folder.path), "--embedded", "1", "--stop-loss", "1", ...SURE];
  {
    await using producer = new EngineProcess(flags);
    await producer.told("producer.ready");
    await producer.told("consumer.serving");
    await sandbox.postBounties([eicar(12, false), eicar(28, false)]);
    await producer.told("assertion.posted", 2);
    const [tripped] = await producer.told("stop-loss.tripped");
    expect(tripped).toMatchObject({ level: "warn", lost: "1.03125", limit: "1", windowHours: 24 });

    const late = await sandbox.postBounty(eicar(20));
    expect((await producer.told("bounty.skipped"))[0]).toMatchObject({ guid: late, why: "stop-loss" });
    const [listening] = await producer.told("http.listening");
    const metrics = await scrape(Number(listening?.port));
    expect(metrics("asserting_paused", { why: "stop-loss" })).toBe(1);
    expect(metrics("limit_used_nct", { limit: "stop-loss" })).toBeCloseTo(1.03125);

    await producer.told("assertion.settled", 2);
    expect(await producer.kill("SIGTERM")).toBe(0);
    expect(producer.entries.filter(({ msg }) => msg === "stop-loss.tripped")).toHaveLength(1);
    expect(producer.entries.filter(({ msg }) => msg === "bounty.dispatched")).toHaveLength(2);
  }
  expect(readLedger(folder.path)).toMatchObject({ asserted: 2, revealed: 2, settled: 2, revealsMissed: 0 });

  await using again = new EngineProcess(flags);
  await again.told("stop-loss.tripped");
  const guid = await sandbox.postBounty(eicar(40));
  expect((await again.told("bounty.skipped", 1, (entry) => entry.guid === guid))[0]).toMatchObject({
    why: "stop-loss",
  });
  expect(await again.kill("SIGTERM")).toBe(0);

  await using raised = new EngineProcess([...flags, "--stop-loss", "5"]);
  await raised.told("producer.ready");
  await raised.told("consumer.serving");
  const next = await sandbox.postBounty(eicar(20));
  await raised.told("assertion.planned", 1, (entry) => entry.guid === next);
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeBackend } from "../../src/isolation/describe.ts";
import { EngineProcess, ONE_SCAN, producerFlags, temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";

const REDIS = process.env.REDIS_ADDR ?? "localhost:6379";

describe.concurrent("an operator", () => {
  it("is told when nobody serves a backend, and can stop a whole family of processes by Ctrl-C", async () => {
    using folder = temporaryFolder();
    await using sandbox = await openMarket(folder.path);
    const queue = ["--redis-addr", REDIS, "--queue", `nobody-${process.pid}`];
    {
      await using alone = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...queue]);
      await alone.told("producer.ready");
      await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 8, reward: REWARD });
      const [silent] = await alone.told("backend.silent");
      expect(silent).toMatchObject({ level: "warn", backend: "eicar", jobs: 1 });
      expect((await alone.told("bounty.abandoned"))[0]).toMatchObject({ why: "no-opinion" });
    }
    const flags = [...producerFlags(sandbox.url, folder.path), "--embedded", "2"];
    await using family = new EngineProcess(flags, ONE_SCAN, { detached: true });
    await family.told("producer.ready");
    await family.told("consumer.serving", 2);
    await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 20, reward: REWARD });
    await family.told("assertion.posted");
    expect(await family.killGroup("SIGINT")).toBe(0);
    expect(family.entries.filter(({ msg }) => msg === "queue.consumer-died")).toEqual([]);
    expect(family.entries.filter(({ msg }) => msg === "consumer.serving")).toHaveLength(2);
    expect(family.entries.findLast(({ msg }) => msg === "producer.stopped")).toMatchObject({ promised: 1 });
  });

  it("is refused a second producer on the same data directory", async () => {
    using folder = temporaryFolder();
    await using sandbox = await openMarket(folder.path);
    const flags = [...producerFlags(sandbox.url, folder.path), "--redis-addr", REDIS];
    await using first = new EngineProcess(flags);
    await first.told("producer.ready");
    await using second = new EngineProcess(flags);
    await expect(second.told("producer.ready")).rejects.toThrow(
      /Another producer works in the data directory/,
    );
  });

  it("may keep a scanner in any folder, and import its contract by name", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "mine.mts");
    writeFileSync(
      file,
      `import { defineScanner } from "microengine/scanner";
       export const scanner = defineScanner({ name: "mine", version: "1.0.0", scan: () => ({ verdict: "unknown" }) });`,
    );
    expect(await describeBackend(file)).toMatchObject({ name: "mine" });
  });

  it("may keep a bid strategy in any folder, and import its contract by name", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "mine.mts");
    writeFileSync(
      file,
      `import { defineBidStrategy } from "microengine/bid";
       export const bidStrategy = defineBidStrategy({ name: "mine", bid: ({ artifacts }) => artifacts.map(() => null) });`,
    );
    await using sandbox = await openMarket(folder.path);
    await using producer = new EngineProcess([
      ...producerFlags(sandbox.url, folder.path),
      ...["--redis-addr", REDIS, "--bid-strategy", file],
    ]);
    expect((await producer.told("producer.ready"))[0]).toMatchObject({ strategy: "mine" });
  });
});

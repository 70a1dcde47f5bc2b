import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import { PROMISED_STATES } from "../../src/domain/lifecycle.ts";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { runCalibrate } from "../../src/producer/calibrate/main.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "../e2e/engine.ts";
import { deedsOnChain, readLedger, skipToReveals } from "../e2e/market.ts";
import { copyProducer, openWrittenMarket, readManifest, voteOnEach } from "./market.ts";

const VERSIONS = ["version-0.1"];

describe.for(VERSIONS)("a ledger of %s", (version) => {
  const { bounties, states, summary, calibration } = readManifest(version);
  const open = bounties.filter(({ name }) =>
    (PROMISED_STATES as readonly (string | undefined)[]).includes(states[name]),
  );

  it("is read as it was: states, sums, and what settled bounties teach", async () => {
    using folder = temporaryFolder();
    copyProducer(version, folder.path);
    const dataDir = join(folder.path, "data");
    {
      using ledger = openLedger(join(dataDir, "ledger.sqlite"), systemClock);
      expect(parseJson(stringifyJson(ledger.summary()))).toMatchObject(summary as object);
      const found = bounties.map(({ guid, name }) => [name, ledger.find({ market: "side", guid })?.state]);
      expect(Object.fromEntries(found)).toEqual(states);
      expect(new Set(Object.values(states))).toEqual(new Set([...PROMISED_STATES, "settled", "abandoned"]));
    }
    let printed = "";
    const config = {
      dataDir,
      newest: 10_000,
      benign: [],
      json: true,
      log: "info",
      logFormat: "json",
    } as const;
    expect(await runCalibrate(config, (text) => (printed += text))).toBe(0);
    expect(JSON.parse(printed)).toMatchObject(calibration as object);
  });

  it("goes on: every open stake is posted, revealed and settled, and none is lost", async () => {
    using folder = temporaryFolder();
    copyProducer(version, folder.path);
    await using sandbox = await openWrittenMarket(version, folder.path);
    const before = await deedsOnChain(sandbox);
    expect(open).toHaveLength(6);
    await using producer = new EngineProcess([
      ...producerFlags(sandbox.url, folder.path),
      ...["--embedded", "1", "--benign", "eicar=0.8"],
    ]);
    await producer.told("producer.ready");
    await sandbox.chain.rpc("evm_setIntervalMining", [1]);
    await expect.poll(() => deedsOnChain(sandbox)).toEqual({ asserted: 8, revealed: 4, settled: 3 });
    await skipToReveals(sandbox);
    await expect.poll(() => deedsOnChain(sandbox)).toMatchObject({ revealed: 7 });
    await voteOnEach(
      sandbox,
      open.filter(({ name }) => name !== "settling"),
    );
    // From here on no window ends: blocks may pass as quickly as they can.
    await expect
      .poll(async () => {
        await sandbox.chain.rpc("evm_mine");
        return deedsOnChain(sandbox);
      })
      .toEqual({ asserted: 8, revealed: 7, settled: 8 });
    expect(before).toEqual({ asserted: 6, revealed: 3, settled: 2 });

    await expect.poll(() => readLedger(folder.path).atRisk).toBe(0n);
    expect(await producer.kill("SIGTERM")).toBe(0);
    expect(readLedger(folder.path)).toMatchObject({ asserted: 8, settled: 8, revealsMissed: 1 });
    const lost = producer.entries.filter(({ msg }) => /vanished|missed|anew|recover|salvaged/.test(msg));
    expect(lost).toEqual([]);
  });
});

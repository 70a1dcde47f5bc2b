import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { readSettings, type SettingsTable } from "../../src/config/values/settings.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { unusedDataDir } from "../../src/sandbox/wallet-dir.ts";
import { welcome } from "../../src/sandbox/welcome.ts";

const PLACE = {
  url: "http://127.0.0.1:31337",
  chain: { url: "http://127.0.0.1:8545", chainId: 1338 },
  account: parseAddress(`0x${"aB".repeat(20)}`),
  reservations: nct(10_000n * ONE_NCT),
};
const lines = (flags: Record<string, string> = {}) => {
  const config = readSettings(sandboxSettings, { flags, env: {} });
  return welcome({ ...PLACE, dataDir: join(config.walletDir, "data") }, config);
};

/** The commands among the lines, continued lines joined. */
const commands = (flags?: Record<string, string>) =>
  [
    ...lines(flags)
      .join("\n")
      .replaceAll(/\\\n\s*/g, "")
      .matchAll(/^ {2}(npm start .*)$/gm),
  ].map(([, text]) => text!);

/** A command's flags, each with its value, as its program reads them. */
function typed<Table extends SettingsTable>(table: Table, command: string) {
  const flags = Object.fromEntries(
    [...command.matchAll(/--([a-z-]+) (\S+)/g)].map(([, flag, text]) => [flag, text]),
  );
  const known = Object.values(table).map(({ flag }) => flag);
  expect(known).toEqual(expect.arrayContaining(Object.keys(flags)));
  return readSettings(table, { flags, env: {} });
}

describe("what a sandbox says at its start", () => {
  it("names the way to an engine that needs no Redis first, then the one with Redis", () => {
    expect(commands().map((command) => command.split(" --polyswarmd-addr")[0])).toEqual([
      "npm start producer -- --embedded 2 --benign eicar=0.8",
      "npm start producer -- --benign eicar=0.8",
      "npm start consumer --",
    ]);
    expect(lines().join("\n")).toMatch(/Redis at localhost:6379 .*--redis-addr HOST:PORT/);
  });

  it("names the backend and the strategy of the project whose sandbox it is", () => {
    const own = { backend: "./mine.ts", "bid-strategy": "./bid-strategy.ts", artifacts: "samples" };
    expect(commands(own).map((command) => command.split(" --polyswarmd-addr")[0])).toEqual([
      "npm start producer -- --embedded 2 --backend ./mine.ts --bid-strategy ./bid-strategy.ts",
      "npm start producer -- --backend ./mine.ts --bid-strategy ./bid-strategy.ts",
      "npm start consumer -- --backend ./mine.ts",
    ]);
  });

  it("can be typed as it stands", () => {
    const [alone, producer, consumer] = commands({ "wallet-dir": "play" });
    const wallet = { keyfile: "play/keyfile", passwordFile: "play/password", dataDir: "play/data" };
    const polyswarmdAddr = PLACE.url;
    expect(typed(producerSettings, alone!)).toMatchObject({ ...wallet, polyswarmdAddr, embedded: 2 });
    expect(typed(producerSettings, producer!)).toMatchObject({ ...wallet, polyswarmdAddr, embedded: 0 });
    expect(typed(consumerSettings, consumer!)).toMatchObject({ polyswarmdAddr });
  });

  it("says in a container what works with Docker: no npm, no path and no address of the container", () => {
    const config = readSettings(sandboxSettings, { flags: {}, env: { SANDBOX_WALLET_DIR: "/wallet" } });
    const place = { ...PLACE, url: "http://0.0.0.0:31337", dataDir: "/wallet/data", inContainer: true };
    const told = welcome(place, config).join("\n");
    expect(told).not.toMatch(/npm|\/wallet|0\.0\.0\.0|127\.0\.0\.1|--keyfile/);
    expect(told).toContain("http://sandbox:31337");
    const typed = [...told.matchAll(/^ {2}(docker .*)$/gm)].map(([, command]) => command);
    expect(typed).toEqual([
      "docker compose --profile sandbox up -d --scale consumer=3",
      "docker compose logs -f producer",
      "docker compose --profile sandbox down",
    ]);
  });

  it("fits a terminal of 80 columns, in a container too", () => {
    const own = { backend: "./mine.ts", "bid-strategy": "./bid-strategy.ts", artifacts: "samples" };
    const inContainer = readSettings(sandboxSettings, { flags: {}, env: { SANDBOX_WALLET_DIR: "/wallet" } });
    const container = welcome({ ...PLACE, dataDir: "/wallet/data", inContainer: true }, inContainer);
    const all = [...lines(), ...lines(own), ...lines({ bounties: "3" }), ...container];
    expect(all.filter((line) => line.length > 80)).toEqual([]);
  });

  it("quotes a folder that a shell would take apart", () => {
    expect(commands({ "wallet-dir": "my wallet" })[0]).toContain("--keyfile 'my wallet/keyfile'");
  });

  it("does not take silence for benign where the artifacts are somebody's own", () => {
    expect(commands({ artifacts: "samples" }).filter((command) => command.includes("--benign"))).toEqual([]);
  });

  it("says whose account it is and when bounties come", () => {
    expect(lines().slice(0, 5)).toEqual([
      "Marketplace  http://127.0.0.1:31337",
      "Chain        http://127.0.0.1:8545, id 1338, a block every 1 s",
      "Bounties     one every 2 s",
      `Account      0x${"aB".repeat(20)} with 10000 NCT,`,
      "             in sandbox-wallet/keyfile",
    ]);
    expect(lines({ bounties: "3" })[2]).toBe("Bounties     3 in all, from when an engine listens");
  });
});

it("a sandbox names a new folder for the ledger when there is one of an earlier sandbox", () => {
  const wallet = mkdtempSync(join(tmpdir(), "microengine-welcome-"));
  try {
    expect(unusedDataDir(join(wallet, "not-there"))).toBe(join(wallet, "not-there", "data"));
    for (const name of ["data", "data-2"]) {
      expect(unusedDataDir(wallet)).toBe(join(wallet, name));
      mkdirSync(join(wallet, name));
    }
    expect(unusedDataDir(wallet)).toBe(join(wallet, "data-3"));
  } finally {
    rmSync(wallet, { recursive: true });
  }
});

import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { demoSettings } from "../../src/config/commands/demo.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { recoverSettings } from "../../src/config/commands/recover.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { readSettings, type SettingsTable, type Sources } from "../../src/config/values/settings.ts";
import { ConfigFault, describeError } from "../../src/domain/fault.ts";
import { ONE_NCT } from "../../src/domain/nct.ts";

const machine = { cpus: 6, terminal: false };
const producer = (flags: Sources["flags"] = {}, env: Sources["env"] = {}) =>
  readSettings(producerSettings, { flags, env, machine });

function complaint(table: SettingsTable, flags: Sources["flags"], env: Sources["env"] = {}): string {
  try {
    readSettings(table, { flags, env, machine });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigFault);
    return describeError(error);
  }
  throw new Error("nothing was wrong");
}

describe("settings", () => {
  it("have the defaults that today's deployments rely on", () => {
    expect(producer()).toEqual({
      polyswarmdAddr: "https://api.polyswarm.network/v1/default",
      allowKeyOverHttp: false,
      keyfile: "keyfile",
      redisAddr: "localhost:6379",
      queue: "microengine",
      backend: ["eicar"],
      clamdHost: "localhost",
      clamdPort: 3310,
      clamdMaxSize: 100 * 1024 * 1024,
      embedded: 0,
      benign: [],
      filter: [],
      confidence: [],
      yaraSkipBroken: false,
      freshProcess: [],
      scanMemory: 1024 ** 3,
      maxArtifactSize: 34_603_008,
      bidStrategy: "default",
      distill: "bayes",
      chains: ["side"],
      artifactType: ["file"],
      dataDir: "./data",
      maxGasPrice: 0n,
      minBalance: 0n,
      maxBid: ONE_NCT,
      maxStakePerBounty: { percent: 10 },
      maxAtRisk: { percent: 50 },
      trustRegistry: [],
      maxFee: ONE_NCT,
      stopLossWindow: 24,
      wait: 60,
      stopTimeout: 25,
      httpPort: 9464,
      httpHost: "127.0.0.1",
      log: "info",
      logFormat: "json",
    });
  });

  it("take what depends on the machine from the machine", () => {
    const config = readSettings(consumerSettings, {
      flags: {},
      env: {},
      machine: { cpus: 6, terminal: true },
    });
    expect(config).toMatchObject({ scanLimit: 6, logFormat: "text", httpPort: 0, embedded: false });
    expect(config).toMatchObject({ downloadLimit: 6, scanTimeRequirement: 0 });
  });

  it("take a limit of 0, which means none to today's engines, for what a process can bear", () => {
    const env = { SCAN_LIMIT: "0", DOWNLOAD_LIMIT: "0", DAILY_RATE_LIMIT: "", HOURLY_RATE_LIMIT: "7" };
    const config = readSettings(consumerSettings, { flags: {}, env });
    expect(config).toMatchObject({ scanLimit: 64, downloadLimit: 256, hourlyRateLimit: 7 });
    expect(config.dailyRateLimit).toBeUndefined();
  });

  it("let a flag beat its variable and a variable beat the default", () => {
    expect(producer({}, { QUEUE: "theirs" }).queue).toBe("theirs");
    expect(producer({ queue: "mine" }, { QUEUE: "theirs" }).queue).toBe("mine");
  });

  it("take an empty variable for none, as compose files leave them", () => {
    const config = producer({}, { API_KEY: "", QUEUE: " ", ALLOW_KEY_OVER_HTTP: "", BACKEND: "" });
    expect(config).toMatchObject({ queue: "microengine", allowKeyOverHttp: false, backend: ["eicar"] });
    expect(config.apiKey).toBeUndefined();
  });

  it("take any API key that fits into a header", () => {
    for (const key of ["0123456789abcdef0123456789abcdef", "Key_2.UPPER-case~", "k"])
      expect(producer({}, { API_KEY: key }).apiKey).toBe(key);
  });

  it("take a list from a repeated flag, commas in a flag, or commas in a variable", () => {
    expect(producer({ backend: "yara,clamav" }).backend).toEqual(["yara", "clamav"]);
    expect(producer({ backend: ["yara, ./mine.ts", "clamav,"] }).backend).toEqual([
      "yara",
      "./mine.ts",
      "clamav",
    ]);
    expect(producer({ "artifact-type": ["file,url"] }).artifactType).toEqual(["file", "url"]);
    expect(complaint(producerSettings, { backend: [" "] })).toMatch(/some text/);
    expect(producer({ backend: ["eicar", "./mine.ts"] }).backend).toEqual(["eicar", "./mine.ts"]);
    expect(producer({}, { BACKEND: "eicar, clamav,,yara" }).backend).toEqual(["eicar", "clamav", "yara"]);
    expect(producer({ backend: ["yara"] }, { BACKEND: "eicar" }).backend).toEqual(["yara"]);
  });

  it("read switches from a flag or from words in a variable", () => {
    expect(producer({ "allow-key-over-http": true }).allowKeyOverHttp).toBe(true);
    for (const yes of ["1", "true", "Yes", "on"])
      expect(producer({}, { ALLOW_KEY_OVER_HTTP: yes }).allowKeyOverHttp).toBe(true);
    expect(producer({}, { ALLOW_KEY_OVER_HTTP: "false" }).allowKeyOverHttp).toBe(false);
    expect(complaint(producerSettings, {}, { ALLOW_KEY_OVER_HTTP: "maybe" })).toContain("yes or no");
  });

  it.each([
    ["34603008", 34_603_008],
    ["32MiB", 32 * 2 ** 20],
    ["1 GiB", 2 ** 30],
    ["30MB", 30_000_000],
    ["5B", 5],
  ])("read the size %s as %d bytes", (text, bytes) => {
    expect(producer({ "max-artifact-size": text }).maxArtifactSize).toBe(bytes);
  });

  it("read amounts, ratios and chain pins into exact types", () => {
    const sandbox = readSettings(sandboxSettings, {
      flags: { reward: "2.5", "rival-accuracy": ".75", "block-time": "0.25", bounties: "8" },
      env: { SANDBOX_FUND: `0x${"aB".repeat(20)}` },
      machine,
    });
    expect(sandbox).toMatchObject({
      reward: (5n * ONE_NCT) / 2n,
      rivalAccuracy: 0.75,
      blockTime: 0.25,
      bounties: 8,
    });
    expect(sandbox.fund).toEqual([`0x${"aB".repeat(20)}`]);
    expect(producer({ "chain-id": "99999999999999999999", benign: ["clamav=0.8"] })).toMatchObject({
      chainId: 99_999_999_999_999_999_999n,
      benign: [{ backend: "clamav", type: "*", worth: 800_000 }],
    });
  });

  it("understand the log levels and formats of today's engines", () => {
    expect(producer({}, { LOG_LEVEL: "WARNING", LOG_FORMAT: "datadog" })).toMatchObject({
      log: "warn",
      logFormat: "json",
    });
    expect(producer({}, { LOG_LEVEL: "CRITICAL" }).log).toBe("fatal");
  });

  it("do not trim a password", () => {
    expect(producer({}, { PASSWORD: " s p " }).password).toBe(" s p ");
  });

  const address = `0x${"0".repeat(40)}`;
  it.each<[flag: string, bad: string, right: string, SettingsTable]>([
    ["http-port", "65536", "a whole number from 0 to 65535", producerSettings],
    ["http-port", "-1", "a whole number from 0 to 65535", producerSettings],
    ["queue", "a:b", 'a name without ":", braces or blanks', producerSettings],
    ["queue", "{a}", "braces", producerSettings],
    ["max-artifact-size", "big", "a size in bytes", producerSettings],
    ["max-artifact-size", "1e6", "a size in bytes", producerSettings],
    ["max-artifact-size", "0", "a size in bytes", producerSettings],
    ["wait", "soon", "a number of seconds of 0 or more", producerSettings],
    ["chains", "main", "one of side, home", producerSettings],
    ["artifact-type", "mail", "one of file, url", producerSettings],
    ["benign", "clamav", "BACKEND=CONFIDENCE", producerSettings],
    ["benign", "clamav=1.1", "BACKEND=CONFIDENCE", producerSettings],
    ["benign", "clamav:pdf=0.9", "BACKEND:TYPE=CONFIDENCE", producerSettings],
    ["benign", "clamav:=0.9", "BACKEND:TYPE=CONFIDENCE", producerSettings],
    ["registry-addr", address.slice(1), "an address: 0x and 40 hex digits", producerSettings],
    ["max-gas-price", "1.5", "a whole number of wei", producerSettings],
    ["chain-id", "0", "a chain id", producerSettings],
    ["polyswarmd-addr", "my host", "an address or URL", producerSettings],
    ["keyfile", "", "some text", producerSettings],
    ["log", "loud", "one of trace, debug, info", producerSettings],
    ["scan-limit", "1025", "a whole number from 0 to 1024", consumerSettings],
    ["block-time", "0", "a number of seconds above 0", sandboxSettings],
    ["rival-accuracy", "80%", "a number from 0 to 1", sandboxSettings],
    ["reward", "0.0000000000000000001", "an amount of NCT", sandboxSettings],
    ["artifacts-per-bounty", "257", "a whole number from 1 to 256", sandboxSettings],
    ["bounties", "many", "a whole number", demoSettings],
  ])("say in one line what is right instead of --%s %s: %s", (flag, bad, right, table) => {
    const line = complaint(table, {
      [flag]: flag in { chains: 1, benign: 1, "artifact-type": 1 } ? [bad] : bad,
    });
    const { env } = Object.values(table).find((setting) => setting.flag === flag)!;
    expect(line).toContain(`"${bad}" is not right for --${flag} (variable ${env}): it must be `);
    expect(line).toContain(right);
    expect(line).not.toContain("\n");
  });

  it("point at the one item of a list that is wrong", () => {
    expect(complaint(producerSettings, {}, { CHAINS: "side,moon" })).toMatch(
      /^"moon" is not right for --chains/,
    );
  });

  it("of recover take the producer's own line, with all that is of use to a producer only", () => {
    const flags = { "bid-strategy": "./mine.ts", "max-at-risk": "5", "http-port": "0", blocks: "7" };
    expect(readSettings(recoverSettings, { flags, env: {}, machine })).toMatchObject({ blocks: 7 });
    const flagsOf = (table: SettingsTable) => Object.values(table).map(({ flag }) => flag);
    expect(flagsOf(recoverSettings)).toEqual(expect.arrayContaining(flagsOf(producerSettings)));
  });

  it("never repeat a secret in a message", () => {
    expect(complaint(producerSettings, { "api-key": "se cret" })).not.toContain("cret");
    expect(complaint(producerSettings, {}, { REDIS_ADDR: "redis://:se cret@host" })).not.toContain("cret");
  });
});

describe.each([
  ["producer", producerSettings],
  ["consumer", consumerSettings],
  ["recover", recoverSettings],
  ["sandbox", sandboxSettings],
  ["demo", demoSettings],
] as const)("the table of the %s", (_name, table: SettingsTable) => {
  const rows = Object.values(table);

  it("gives every flag and every variable to one setting only", () => {
    const names = [...rows.map(({ flag }) => flag), ...rows.flatMap(({ env }) => env ?? [])];
    expect(new Set(names).size).toBe(names.length);
  });

  it("has defaults that its own schemas accept", () => {
    expect(() => readSettings(table, { flags: {}, env: {}, machine })).not.toThrow();
  });

  it("says in the help where a default comes from, for every setting", () => {
    for (const row of rows) expect(row.defaultHelp ?? row.default, row.flag).toBeTypeOf("string");
  });
});

it("a consumer has no setting for anything of the wallet", () => {
  const names = Object.values<{ flag: string }>(consumerSettings).map(({ flag }) => flag);
  expect(names.filter((flag) => /key(file)?$|password|registry|token/.test(flag))).toEqual(["api-key"]);
});

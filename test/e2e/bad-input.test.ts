import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";
import { OddGateway } from "../integration/odd-gateway.ts";
import { SIMPLE_SCANNER, temporaryFolder } from "./engine.ts";
import { microengine, withoutStalls } from "./run-process.ts";

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder.path, ...path);
const DAMAGED = "SQLite format 3\0 but only for as long as one looks at the first bytes. ".repeat(100);
/** Nobody listens there. */
const NOBODY = "127.0.0.1:1";

let gateway: OddGateway;
let guarded: RedisServer;

beforeAll(async () => {
  await cp(fixture("keystore/web3-pbkdf2.json"), at("keyfile"));
  await writeFile(at("password"), "testpassword\n");
  await writeFile(at("text"), "not JSON\n");
  await writeFile(at("list.json"), "[]");
  await writeFile(at("strategy.ts"), "export const bidStratgy = { name: 'typo', bid: () => [] };\n");
  await writeFile(
    at("restless.ts"),
    `export const bidStrategy = { name: "restless", bid: () => [] };
     setTimeout(() => { throw new TypeError("first line\\nsecond line"); });`,
  );
  await mkdir(at("damaged"));
  await writeFile(at("damaged", "ledger.sqlite"), DAMAGED);
  await mkdir(at("contracts"));
  for (const name of ["NectarToken", "BountyRegistry", "ArbiterStaking"])
    await writeFile(at("contracts", `${name}.json`), '{"abi":[]}');
  [gateway, guarded] = await Promise.all([OddGateway.open(), startRedis("--requirepass", "s3cret")]);
});
afterAll(async () => {
  await Promise.all([gateway[Symbol.asyncDispose](), guarded[Symbol.asyncDispose]()]);
  folder[Symbol.dispose]();
});

let producers = 0;

/**
 * A producer that has everything right but what the flags at the end, which win, make wrong. Each has a data directory
 * of its own, because they run side by side.
 */
const producer = (...flags: string[]): readonly string[] => [
  ...["producer", "--keyfile", at("keyfile"), "--password-file", at("password")],
  ...["--data-dir", at(`data-${++producers}`)],
  ...["--http-port", "0", "--wait", "0", "--polyswarmd-addr", `http://${NOBODY}`, "--redis-addr", NOBODY],
  ...flags,
];
const sandbox = (...flags: string[]): readonly string[] => [
  ...["sandbox", "--port", "0", "--wallet-dir", at("wallet")],
  ...flags,
];
const embedded = ["--embedded", "1"];

/** The one line, without its prefix; fails when there are more. */
function oneLine(stderr: string): string {
  expect(stderr).toMatch(/^microengine: [^\n]+\n$/);
  return stderr.slice("microengine: ".length, -1);
}

async function complaint(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stdout, stderr } = await microengine(args, { ...SIMPLE_SCANNER, ...env });
  const line = oneLine(withoutStalls(stderr));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  return line;
}

describe.concurrent("one line and exit code 2 is the answer to", () => {
  it.each<[string, () => readonly string[], RegExp]>([
    ["a keyfile that is not there", () => producer("--keyfile", at("none")), /There is no keyfile ".*none"/],
    ["a keyfile that is a directory", () => producer("--keyfile", folder.path), /is a directory/],
    ["a keyfile that is not JSON", () => producer("--keyfile", at("text")), /text" is not JSON/],
    ["a keyfile that is no keystore", () => producer("--keyfile", at("list.json")), /not a keystore/],
    [
      "a wrong password",
      () => producer("--password-file", at("text")),
      /^The password does not open the keyfile ".*keyfile"/,
    ],
    [
      "a password file that is not there",
      () => producer("--password-file", at("none")),
      /^The password file cannot be read.*--password-file/,
    ],
    [
      "a polyswarmd address that is none",
      () => producer("--polyswarmd-addr", "ftp://here", ...embedded),
      /^The polyswarmd address "ftp:\/\/here" is neither http nor https/,
    ],
    [
      "a contract address that is none",
      () => producer("--registry-addr", "0x12"),
      /"0x12" is not right for --registry-addr \(variable REGISTRY_ADDR\): it must be an address/,
    ],
    [
      "a strategy nobody knows",
      () => producer("--bid-strategy", "reckless"),
      /no bid strategy "reckless"\. .*default, conservative, aggressive, or the path/,
    ],
    [
      "a strategy module that is not there",
      () => producer("--bid-strategy", at("none.ts")),
      /no readable bid strategy module at .*none\.ts/,
    ],
    [
      "a strategy module without a strategy",
      () => producer("--bid-strategy", at("strategy.ts")),
      /strategy\.ts exports bidStratgy, but no bidStrategy\..*Expected: export const bidStrategy/,
    ],
    [
      "a distillation engine nobody knows",
      () => producer("--distill", "reckless"),
      /no distillation engine "reckless"\. --distill \(variable DISTILL\) takes bayes, lean, any, majority, or/,
    ],
    [
      "a distillation module without an engine",
      () => producer("--distill", at("strategy.ts")),
      /strategy\.ts exports bidStratgy, but no distillEngine\..*Expected: export const distillEngine/,
    ],
    ["a backend nobody knows", () => producer("--backend", "yarrr"), /no backend "yarrr".*Built in: eicar/],
    [
      "a backend nobody knows, to a consumer",
      () => ["consumer", "--backend", "yarrr", "--wait", "0", "--redis-addr", NOBODY],
      /no backend "yarrr".*Built in: eicar/,
    ],
    [
      "a scanner module that is not there",
      () => producer("--backend", at("none.ts")),
      /no scanner module .*none\.ts/,
    ],
    [
      "a scanner module without a scanner",
      () => producer("--backend", fixture("scanners/wrong-export.ts")),
      /does not export "scanner"; it exports helper, scaner\. Expected: export const scanner/,
    ],
    [
      "a scanner that fails in its setup",
      () => producer("--backend", fixture("scanners/setup-fails.ts"), "--embedded", "1"),
      /scanner unready failed to set up: no rules in \.\/rules/,
    ],
    ["triage rules that are not JSON", () => producer("--triage", at("text")), /text.*not JSON/],
    [
      "a Redis that is not there",
      () => producer(),
      /^No Redis answers at 127\.0\.0\.1:1: .*--redis-addr \(REDIS_ADDR\)/,
    ],
    [
      "a Redis that is not there, to a consumer",
      () => ["consumer", "--wait", "0", "--redis-addr", NOBODY, "--log", "warn"],
      /^No Redis answers at 127\.0\.0\.1:1: .*--redis-addr \(REDIS_ADDR\)/,
    ],
    [
      "a Redis that wants a password",
      () => producer("--redis-addr", guarded.address, "--wait", "60"),
      /does not let us in: NOAUTH.*redis:\/\/user:password@host/,
    ],
    [
      "a polyswarmd that is not there",
      () => producer("--redis-addr", process.env.REDIS_ADDR ?? ""),
      /^There is no working polyswarmd at http:\/\/127\.0\.0\.1:1: .*--polyswarmd-addr/,
    ],
    [
      "a data directory below a file",
      () => producer("--data-dir", at("text", "data")),
      /data directory .*text\/data cannot be written to/,
    ],
    // Where not even root can write.
    [
      "a data directory that is read-only",
      () => producer("--data-dir", "/proc/tty"),
      /^The data directory \/proc\/tty cannot be written to\. Choose another --data-dir \(DATA_DIR\)/,
    ],
    [
      "a contracts folder that is not there",
      () => sandbox("--contracts", at("none")),
      /^Cannot read the contracts folder .*none/,
    ],
    [
      "contracts that are not as solc prints them",
      () => sandbox("--contracts", at("contracts")),
      /NectarToken in .*contracts is not a contract as solc prints it: evm is missing or wrong/,
    ],
    [
      "an artifacts folder that is not there",
      () => sandbox("--artifacts", at("none")),
      /artifacts folder .*none/,
    ],
  ])("%s", async (_, args, sentence) => {
    expect(await complaint(args())).toMatch(sentence);
  });

  it("a contracts folder that is not there, to the demo, after its first words", async () => {
    const { code, stdout, stderr } = await microengine(["demo", "--json", "--contracts", at("none")]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    // Before it stand what the demo begins with and, on a busy machine, that it takes its time.
    expect(oneLine(stderr.split(/^/m).at(-1)!)).toMatch(/^Cannot read the contracts folder .*none/);
  });

  it("no password at all, where there is no terminal to ask on", async () => {
    const flags = producer().filter((flag) => flag !== "--password-file" && flag !== at("password"));
    expect(await complaint(flags)).toMatch(/needs a password\. Give --password-file/);
  });

  it("a ledger that is damaged, which stays as it is", async () => {
    const line = await complaint(producer("--data-dir", at("damaged")));
    expect(line).toMatch(/ledger .*damaged\/ledger\.sqlite cannot be used: .*left untouched/);
    expect(await readFile(at("damaged", "ledger.sqlite"), "utf8")).toBe(DAMAGED);
    const beside = (await readdir(at("damaged"))).filter((name) => name.startsWith("ledger"));
    expect(beside).toEqual(["ledger.sqlite"]);
  });
});

describe.concurrent("a producer", () => {
  /** Entries of the log before the one line at the end, but those that tell how busy the machine is. */
  async function patience(args: readonly string[]) {
    const { code, stderr } = await microengine(args, {
      ...SIMPLE_SCANNER,
      LOG_LEVEL: "warn",
      LOG_FORMAT: "json",
    });
    const lines = withoutStalls(stderr).trimEnd().split("\n");
    expect(code).toBe(2);
    return {
      entries: lines.slice(0, -1).map((line) => (JSON.parse(line) as { msg: string }).msg),
      line: oneLine(`${lines.at(-1)}\n`),
    };
  }

  it("tries for as long as it is told to reach Redis, and says so, before it gives up", async () => {
    const { entries, line } = await patience(producer("--wait", "3"));
    expect(new Set(entries)).toEqual(new Set(["redis.waiting"]));
    expect(line).toMatch(/^No Redis answers/);
  });

  it("tries for as long as it is told to reach polyswarmd, and says so, before it gives up", async () => {
    const redis = ["--redis-addr", process.env.REDIS_ADDR ?? ""];
    const { entries, line } = await patience(producer(...redis, "--wait", "1.5"));
    expect(entries).toEqual(["market.unreachable"]);
    expect(line).toMatch(/^There is no working polyswarmd/);
  });

  it("says in one line that its port is taken, and ends its consumers", async () => {
    const { port } = new URL(`http://${guarded.address}`);
    const flags = ["--polyswarmd-addr", gateway.url, "--http-port", port, "--data-dir", at("busy")];
    const line = await complaint(producer(...flags, ...embedded), { LOG_LEVEL: "silent" });
    expect(line).toMatch(/^Cannot serve .*: another program does\. .*--http-port \(variable HTTP_PORT\)/);
  });

  it("tells an error nobody foresaw in one line, too, and ends with exit code 1", async () => {
    const flags = producer("--bid-strategy", at("restless.ts"), "--wait", "60");
    const { code, stderr } = await microengine(flags, { ...SIMPLE_SCANNER, LOG_LEVEL: "silent" });
    expect({ code, line: oneLine(stderr) }).toEqual({ code: 1, line: "first line second line" });
  });
});

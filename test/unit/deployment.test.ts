import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { relaySettings } from "../../src/config/commands/relay.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import type { SettingsTable } from "../../src/config/values/settings.ts";
import { composeFile } from "../../src/init/compose-file.ts";

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), "utf8");
const variablesOf = (...tables: readonly SettingsTable[]) =>
  tables.flatMap((table) => Object.values(table)).flatMap(({ env }) => env ?? []);

/** The lines of a service, without their indentation of four. */
function linesOf(file: string, service: string): string[] {
  const [, block = ""] = new RegExp(`^  ${service}:\\n((?: {4}.*\\n|\\n)*)`, "m").exec(file) ?? [];
  return block.split("\n").map((line) => line.slice(4));
}

/** What a service's `environment` sets, that of its anchors included: values by name, as they are written. */
function environmentOf(file: string, service: string): Map<string, string> {
  const lines = linesOf(file, service);
  const start = lines.indexOf("environment:");
  const end = lines.findIndex((line, at) => at > start && !line.startsWith(" "));
  return readLines(file, start === -1 ? [] : lines.slice(start + 1, end));
}

function readLines(file: string, lines: readonly string[]): Map<string, string> {
  const set = new Map<string, string>();
  for (const line of lines) {
    const [, merged] = /^\s*<<: \[?([*a-z, -]+)\]?$/.exec(line) ?? [];
    for (const [, name] of (merged ?? "").matchAll(/\*([a-z-]+)/g)) {
      const [, block = ""] = new RegExp(`^x-${name}: &${name}\\n((?: {2}.*\\n)*)`, "m").exec(file) ?? [];
      for (const [key, value] of readLines(file, block.split("\n"))) set.set(key, value);
    }
    const [, key, value] = /^\s*([A-Za-z_]+):(?: (.*))?$/.exec(line) ?? [];
    if (key !== undefined) set.set(key, value ?? "");
  }
  return set;
}

/** Volumes of a service: what is mounted, by where. */
function volumesOf(file: string, service: string): Map<string, string> {
  const mounts = linesOf(file, service).flatMap((line) => {
    const [, source, target] = /^ {2}- (.+?):(\/[a-z]+)(?::ro)?$/.exec(line) ?? [];
    return source === undefined ? [] : [[target!, source] as const];
  });
  return new Map(mounts);
}

/** Read by Node, by the client of HTTP, or by docker/entrypoint.sh and what comes before the settings. */
const OTHERS = ["NODE_EXTRA_CA_CERTS", "CONFIG_FAULTS", "REDIS_PASSWORD", "WALLET_DIR"];
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
/** What a container decides itself: the variable of that name says what is mounted there, or which port it is given outside. */
const INSIDE = ["DATA_DIR", "RULES_DIR", "SANDBOX_PORT", "SANDBOX_WALLET_DIR", "RELAY_PORT"];
/** An init project says these in its image; it has no rules. */
const IN_THE_IMAGE = ["BACKEND", "BID_STRATEGY"];

const FILES = {
  "docker-compose.yml": () => read("docker-compose.yml"),
  "the compose file of a project": async () => composeFile("mine"),
};
const PROCESSES: Readonly<Record<string, SettingsTable>> = {
  producer: producerSettings,
  consumer: consumerSettings,
  relay: relaySettings,
  sandbox: sandboxSettings,
};

describe.each(Object.entries(FILES))("%s", (name, open) => {
  const ours = name === "docker-compose.yml";
  const services = Object.entries(PROCESSES).filter(([service]) => ours || service !== "sandbox");

  it.each(services)("hands every setting of a %s on from the environment or .env", async (service, table) => {
    const set = environmentOf(await open(), service);
    const wanted = variablesOf(table).filter(
      (variable) =>
        !INSIDE.includes(variable) &&
        !(service === "sandbox" && variable === "HTTP_HOST") &&
        !(!ours && IN_THE_IMAGE.includes(variable)),
    );
    const dropped = wanted.filter((variable) => !set.get(variable)?.startsWith(`\${${variable}:-`));
    expect(dropped, "variables that docker-compose.yml has to pass on").toEqual([]);
    expect(set.has("NODE_EXTRA_CA_CERTS") || service === "sandbox" || !ours).toBe(true);
  });

  it.each(services)("sets only variables that a %s reads", async (service, table) => {
    const known = [...variablesOf(table), ...OTHERS, ...PROXIES, "HTTP_PORT"];
    const names = [...environmentOf(await open(), service).keys()].filter((key) => key === key.toUpperCase());
    expect(known).toEqual(expect.arrayContaining(names));
  });

  it("hands nothing of the wallet to any but the producer", async () => {
    const file = await open();
    for (const service of ["consumer", "relay", "redis", "sandbox"]) {
      const names = [...environmentOf(file, service).keys()];
      expect(names.filter((key) => /KEYFILE|^PASSWORD|WALLET/.test(key))).toEqual([]);
      expect(volumesOf(file, service).get("/wallet")?.includes("WALLET_DIR") ?? false).toBe(false);
    }
  });

  it("keeps the ledger in no volume of the sandbox, whatever is set", async () => {
    const file = await open();
    expect(volumesOf(file, "producer").get("/data")).toBe(`\${DATA_DIR:-data}`);
    expect(file).toMatch(/^volumes:\n {2}data:$/m);
  });

  it("gives consumers no network with a way out, and the relay as the way to the gateway", async () => {
    const file = await open();
    const networks = (service: string) =>
      linesOf(file, service)
        .join("\n")
        .match(/^networks:\n((?: {2}- .*\n)+)/m)?.[1]
        ?.match(/[a-z]+/g);
    expect(networks("consumer")).toEqual(["scanning"]);
    expect(networks("redis")).toEqual(["scanning"]);
    expect(networks("relay")).toEqual(["scanning", "outside"]);
    expect(networks("producer")).toEqual(["scanning", "outside"]);
    expect(file).toMatch(/^ {2}scanning:\n(?: {4}#.*\n)* {4}internal: \$\{CONSUMERS_INTERNAL:-true\}$/m);
    const set = environmentOf(file, "consumer");
    for (const proxy of ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])
      expect(set.get(proxy)).toBe("http://relay:3128");
    expect(environmentOf(file, "relay").get("RELAY_PORT")).toBe("3128");
  });

  it("starts again what crashed, and holds what only its operator can correct", async () => {
    const file = await open();
    expect(file).toMatch(/^ {2}restart: unless-stopped$/m);
    for (const service of ["producer", "consumer", "relay"])
      expect(environmentOf(file, service).get("CONFIG_FAULTS")).toBe("hold");
  });

  it("lets scanners have variables of their own, from a file", async () => {
    for (const service of ["producer", "consumer"])
      expect(linesOf(await open(), service).join("\n")).toMatch(/^env_file:\n {2}- \$\{SCANNER_ENV_FILE:-/m);
  });
});

describe("the image", () => {
  it("sets only variables that some process reads", async () => {
    const instructions = (await read("Dockerfile")).replaceAll("\\\n", " ").split("\n");
    const names = instructions
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => [...line.matchAll(/ ([A-Z_]+)=/g)].map(([, name]) => name!));
    const known = ["NODE_ENV", "MICROENGINE_IMAGE", ...variablesOf(...Object.values(PROCESSES))];
    expect(names.length).toBeGreaterThan(3);
    expect(known).toEqual(expect.arrayContaining(names));
  });

  it("is given every file that it copies", async () => {
    const ignore = await read(".dockerignore");
    const copied = [...(await read("Dockerfile")).matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
      .flatMap(([, files]) => files!.split(" "))
      .map((path) => path.replace(/^\.\//, "").split("/")[0]!);
    expect(copied).toContain("docker");
    for (const path of copied) expect(ignore.split("\n")).toContain(`!${path}`);
  });
});

/** What the image's command makes of the variables that a compose file passes on. */
async function enter(env: Record<string, string>, args: readonly string[] = ["consumer"]) {
  const folder = await mkdtemp(join(tmpdir(), "microengine-entry-"));
  try {
    const script = (await read("docker/entrypoint.sh"))
      .replace(/^exec node .*$/m, 'echo "$*"; env')
      .replaceAll("/wallet/", `${folder}/`);
    await writeFile(join(folder, "entry.sh"), script);
    await writeFile(join(folder, "password"), "there");
    const given = { PATH: process.env.PATH ?? "", DATA_DIR: "/data", ...env };
    const { stdout } = await promisify(execFile)("sh", [join(folder, "entry.sh"), ...args], { env: given });
    const [first, ...lines] = stdout.trimEnd().split("\n");
    return { args: first, env: Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the command of the image", () => {
  it("changes nothing outside of a compose file", async () => {
    const entered = await enter({}, ["producer", "--wait", "1 2"]);
    expect(entered).toMatchObject({ args: "producer --wait 1 2", env: { DATA_DIR: "/data" } });
    expect(entered.env).not.toHaveProperty("REDIS_ADDR");
  });

  it("uses the Redis of the compose file, with its password, unless another is named", async () => {
    const { env } = await enter({ REDIS_ADDR: "", REDIS_PASSWORD: "pw" });
    expect(env).toMatchObject({ REDIS_ADDR: "redis://:pw@redis:6379" });
    expect(env).not.toHaveProperty("REDIS_PASSWORD");
    expect((await enter({ REDIS_ADDR: "there:1", REDIS_PASSWORD: "" })).env.REDIS_ADDR).toBe("there:1");
  });

  it("keeps play money's ledger apart from a real one", async () => {
    expect((await enter({ WALLET_DIR: "" }, ["producer"])).env.DATA_DIR).toBe("/data/sandbox");
    expect((await enter({ WALLET_DIR: "./wallet" }, ["producer"])).env.DATA_DIR).toBe("/data");
  });
});

import { accessSync, constants, globSync, mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { relaySettings } from "../../src/config/commands/relay.ts";
import { temporaryFolder } from "./engine.ts";
import { microengine, ROOT, runIn } from "./run-process.ts";

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder.path, ...path);
const read = (...path: string[]): string => readFileSync(at(...path), "utf8");
const init = (...args: string[]) => microengine(["init", "--into", folder.path, ...args]);
afterAll(() => folder[Symbol.dispose]());

describe.each([
  ["in-typescript", [], "scanner.ts"],
  ["as-a-program", ["--exec"], "scanner.json"],
] as const)("the project that microengine init %s writes", (name, flags, scanner) => {
  beforeAll(async () => {
    expect(await init(name, ...flags)).toMatchObject({ code: 0, stderr: "" });
    // What `npm install` makes of the dependency on a clone.
    mkdirSync(at(name, "node_modules"));
    symlinkSync(ROOT, at(name, "node_modules", "microengine"));
    symlinkSync(join(ROOT, "node_modules", "@types"), at(name, "node_modules", "@types"));
  });

  /** A script of its package.json, as npm would run it. */
  const script = (script: string, ...args: string[]) => {
    const { scripts } = JSON.parse(read(name, "package.json")) as { scripts: Record<string, string> };
    return runIn(at(name), "sh", ["-c", `${scripts[script]} "$@"`, "sh", ...args]);
  };

  it("passes its own tests", async () => {
    const { code, stdout } = await script("test");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("pass 3") });
  });

  it("finds its sample with its scanner", async () => {
    const { code, stdout } = await script("scan", "--json", "samples");
    const lines = stdout.trimEnd().split("\n");
    const verdicts = lines.map((line) => (JSON.parse(line) as { verdict: string }).verdict);
    expect({ code, verdicts }).toEqual({ code: 0, verdicts: ["unknown", "malicious"] });
  });

  it("passes the compiler", async () => {
    expect(await runIn(at(name), join(ROOT, "node_modules", ".bin", "tsc"), [])).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  it("copies files into its image that are there, and sets only variables that a process reads", () => {
    const [, files] = /^COPY (.*) \/plugins\/$/m.exec(read(name, "Dockerfile"))!;
    for (const file of files!.split(" ")) expect(statSync(at(name, file)).isFile()).toBe(true);
    expect(files).toContain(scanner);
    const settings = [producerSettings, consumerSettings, relaySettings].flatMap((table) =>
      Object.values(table).flatMap(({ env }) => env ?? []),
    );
    // Read by Node, by the HTTP client, by the image's command and before the settings.
    const others = ["NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    const known = [...settings, ...others, "CONFIG_FAULTS", "REDIS_PASSWORD", "WALLET_DIR"];
    const dockerfile = [...read(name, "Dockerfile").matchAll(/^(?:ENV| {4}) *([A-Z_]+)=/gm)];
    const compose = [...read(name, "compose.yaml").matchAll(/^ +([A-Z_]+): /gm)];
    const names = [...dockerfile, ...compose].map(([, variable]) => variable!);
    expect(names.length).toBeGreaterThan(7);
    expect(known).toEqual(expect.arrayContaining(names));
  });

  it("has its name where names belong, and no gaps in its texts", () => {
    const files = globSync("**/*.*", { cwd: at(name), exclude: (path) => path.includes("node_modules") });
    const texts = files.filter((path) => statSync(at(name, path)).isFile()).map((path) => read(name, path));
    expect(texts.length).toBeGreaterThan(9);
    expect(texts.join("\n")).not.toMatch(/undefined|\[object/);
    expect(JSON.parse(read(name, "package.json"))).toMatchObject({ name, private: true });
    expect(read(name, scanner)).toContain(name);
  });
});

describe("microengine init", () => {
  it("makes the program of --exec executable", () => {
    expect(() => accessSync(at("as-a-program", "scanner.sh"), constants.X_OK)).not.toThrow();
  });

  it.each([
    [[], /The project needs a name\. .*microengine init my-scanner/],
    [["Upper"], /"Upper" cannot be the name/],
    [["../up"], /"\.\.\/up" cannot be the name/],
    [["microengine"], /"microengine" cannot be the name/],
    [["1st"], /"1st" cannot be the name/],
    [["one", "two"], /One name is enough: "two"/],
    [["in-typescript"], /There is a .*in-typescript already; nothing was written/],
    [["fine", "--into", "/nowhere"], /The folder cannot be made: .*--into/],
  ])("answers %j with one line and exit code 2", async (args, sentence) => {
    const { code, stdout, stderr } = await init(...args);
    expect(stderr).toMatch(/^microengine: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

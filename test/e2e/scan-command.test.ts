import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./engine.ts";
import { leash } from "./leash.ts";
import { microengine, plainEnvironment, ROOT } from "./run-process.ts";

const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}${"$EICAR-STANDARD"}${"-ANTIVIRUS-TEST-FILE!$H+H*"}`;
const PUPPET = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));

const folder = temporaryFolder();
const samples = join(folder.path, "samples");
beforeAll(() => {
  mkdirSync(samples);
  writeFileSync(join(samples, "bad"), EICAR);
  writeFileSync(join(samples, "good"), "nothing");
  writeFileSync(join(folder.path, "hang"), "hang");
});
afterAll(() => folder[Symbol.dispose]());

/** A scan that is given its standard input, or a signal as soon as it scans. */
function started(...args: readonly string[]) {
  const child = spawn(process.execPath, ["src/main.ts", "scan", ...args], {
    cwd: ROOT,
    env: plainEnvironment(),
  });
  leash(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}

describe.concurrent("microengine scan", () => {
  it("scans standard input, named -", async () => {
    const { child, ended } = started("--json", "-");
    child.stdin.end(EICAR);
    const { code, stdout } = await ended;
    expect(JSON.parse(stdout)).toMatchObject({ path: "-", size: 68, verdict: "malicious" });
    expect(code).toBe(0);
  });

  it("writes with --only the files of that verdict, and ends with 3 where it is to fail on one", async () => {
    const { code, stdout } = await microengine([
      "scan",
      "--json",
      "--only",
      "malicious",
      "--fail-on",
      "malicious",
      samples,
    ]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).path),
    ).toEqual([join(samples, "bad")]);
    expect(code).toBe(3);
  });

  it("takes a distillation engine that imports values of the contract, from anywhere", async () => {
    const engine = join(folder.path, "mine.ts");
    writeFileSync(
      engine,
      `import { defineDistillEngine } from "microengine/distill";
      export const distillEngine = defineDistillEngine({ name: "mine", judge: () => ({ verdict: "malicious", probability: 0.9 }) });`,
    );
    const { code, stdout } = await microengine([
      "scan",
      "--distill",
      engine,
      "--json",
      join(samples, "good"),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "malicious", probability: 0.9 });
    expect(code).toBe(0);
  });

  it("ends with 1 when a backend could not scan a file, and names the file", async () => {
    const flags = ["--backend", PUPPET, "--deadline", "1", join(folder.path, "hang"), join(samples, "good")];
    const { code, stdout } = await microengine(["scan", ...flags]);
    expect(stdout).toMatch(
      /^2 files: 2 not scanned\n[\s\S]*could not be scanned\n {2}\S+hang {2}puppet: timeout\n/,
    );
    expect(code).toBe(1);
  });

  it("ends with 130 when it is interrupted, and says what it has scanned", async () => {
    const flags = [
      "--backend",
      PUPPET,
      "--deadline",
      "600",
      "--scan-limit",
      "1",
      "--log",
      "debug",
      "--log-format",
      "json",
    ];
    const { child, ended } = started(...flags, join(folder.path, "hang"));
    const ready = Promise.withResolvers<void>();
    child.stderr.on("data", (chunk) => String(chunk).includes("scanner.ready") && ready.resolve());
    await Promise.race([ready.promise, ended]);
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(stdout).toMatch(/^Interrupted; scanned so far: 0 files\n/);
    expect(code).toBe(130);
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./engine.ts";
import { microengine, run } from "./run-process.ts";

const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}${"$EICAR-STANDARD"}${"-ANTIVIRUS-TEST-FILE!$H+H*"}`;
const PUPPET = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));

const folder = temporaryFolder();
const at = (...path: string[]): string => join(folder.path, ...path);
const put = (path: string, content: string | Uint8Array): void => writeFileSync(at(path), content);

beforeAll(() => {
  for (const name of ["samples", "samples/deep", "acts", "odd"]) mkdirSync(at(name));
  put("samples/a-test-file.txt", `prefix ${EICAR}`);
  put("samples/deep/script.sh", "#!/bin/sh\necho hello\n");
  put("samples/empty", "");
  for (const act of ["malicious", "silent", "hang", "spin", "exit", "throw", "wrong-word"])
    put(`acts/${act}`, act);
  put("outside", EICAR);
  symlinkSync(at("outside"), at("odd", "link-out"));
  symlinkSync(at("odd"), at("odd", "link-to-itself"));
  execFileSync("mkfifo", [at("odd", "pipe")]);
  writeFileSync(Buffer.concat([Buffer.from(`${at("odd")}/`), Buffer.from([0x66, 0xff, 0x0a, 0x1b])]), EICAR);
  put("address", "https://www.eicar.org/download/eicar.com");
  put("not-text", Buffer.from([0xff, 0xfe, 0x00]));
  put("nowhere.json", '{ "routes": [{ "types": ["text/x-shellscript"], "backends": [] }] }');
});
afterAll(() => folder[Symbol.dispose]());

const scan = (...args: string[]) => microengine(["scan", ...args]);

interface Line {
  readonly path: string;
  readonly verdict: string;
  readonly reason: string;
  readonly results: readonly {
    readonly backend: string;
    readonly verdict: string;
    readonly reason: string;
  }[];
}

async function scanJson(...args: string[]): Promise<{ code: number | null; lines: readonly Line[] }> {
  const { code, stdout, stderr } = await scan("--json", ...args);
  expect(stderr).not.toContain("microengine: ");
  const lines = stdout.trimEnd().split("\n");
  return { code, lines: lines.map((line) => JSON.parse(line) as Line) };
}

describe("microengine scan", () => {
  it("writes one line of JSON for each file of a folder, in order, with all that is known of it", async () => {
    const { code, lines } = await scanJson(at("samples"));
    expect(code).toBe(0);
    expect(lines.map(({ path }) => path)).toEqual(
      ["a-test-file.txt", "deep/script.sh", "empty"].map((name) => at("samples", name)),
    );
    expect(lines[0]).toEqual({
      path: at("samples", "a-test-file.txt"),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      size: 75,
      types: ["text/plain"],
      verdict: "malicious",
      confidence: expect.closeTo(0.95),
      probability: expect.closeTo(0.95),
      interval: [expect.any(Number), expect.any(Number)],
      family: "Eicar Test File",
      reason: "eicar malicious 1",
      results: [
        {
          backend: "eicar",
          verdict: "malicious",
          confidence: 1,
          family: "Eicar Test File",
          reason: null,
          detail: null,
          ms: expect.any(Number),
        },
      ],
    });
    expect(lines[1]).toMatchObject({
      types: ["text/x-shellscript", "text/plain"],
      verdict: "unknown",
      results: [{ verdict: "unknown", reason: "no-match" }],
    });
  });

  it("goes on when a scanner hangs, spins, dies, throws or talks nonsense", async () => {
    const { code, lines } = await scanJson(
      "--backend",
      PUPPET,
      "--deadline",
      "2",
      "--scan-limit",
      "4",
      at("acts"),
    );
    // Some could not be scanned.
    expect(code).toBe(1);
    const said = lines.map(({ path, verdict, results }) => [
      path.split("/").at(-1),
      verdict,
      results[0]!.reason,
    ]);
    expect(said).toEqual([
      ["exit", "unknown", "crashed"],
      ["hang", "unknown", "timeout"],
      ["malicious", "malicious", null],
      ["silent", "unknown", "no-match"],
      ["spin", "unknown", "timeout"],
      ["throw", "unknown", "scanner-error"],
      ["wrong-word", "unknown", "invalid-result"],
    ]);
  });

  it("makes one verdict of several backends", async () => {
    const { lines } = await scanJson(
      "--backend",
      "eicar",
      "--backend",
      PUPPET,
      at("samples", "a-test-file.txt"),
    );
    expect(lines[0]!.results.map(({ backend }) => backend)).toEqual(["eicar", "puppet"]);
    expect(lines[0]!.verdict).toBe("malicious");
  });

  it("scans the rest, and ends with exit code 1, when something cannot be read", async () => {
    const { code, lines } = await scanJson(at("none"), at("odd", "pipe"), at("outside"));
    expect(code).toBe(1);
    expect(lines.map(({ verdict, reason }) => [verdict, reason.split(":")[0]])).toEqual([
      ["unknown", "not readable"],
      ["unknown", "not readable"],
      ["malicious", "eicar malicious 1"],
    ]);
  });

  it("ends with exit code 1 when its verdicts cannot be written, and with 0 when nobody wants more of them", async () => {
    const command = '"$0" src/main.ts scan --json "$1"';
    const shell = (script: string) => run("sh", ["-c", script, process.execPath, at("samples")]);
    const full = await shell(`${command} > /dev/full`);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/^microengine: What was found cannot be written: ENOSPC[^\n]*\n$/);
    expect(await shell(`{ ${command}; echo "code $?" >&2; } | true`)).toMatchObject({ stderr: "code 0\n" });
  });

  it("passes links and pipes in a folder over, and opens a file whatever its name", async () => {
    const { code, stdout } = await scan(at("odd"));
    expect(code).toBe(0);
    expect(stdout).toContain("f\uFFFD\\u{a}\\u{1b}\n  malicious");
    expect(stdout).toContain("1 file: 1 malicious\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    expect(stdout).not.toMatch(/\u001b/);
  });

  it("does not read what is larger than the limit", async () => {
    const { code, lines } = await scanJson("--max-artifact-size", "74", at("samples", "a-test-file.txt"));
    expect({ code, line: lines[0] }).toMatchObject({
      code: 0,
      line: {
        sha256: null,
        size: 75,
        verdict: "unknown",
        reason: expect.stringContaining("too-large"),
        results: [],
      },
    });
  });

  it("leaves alone what a triage rule leaves alone", async () => {
    const { lines } = await scanJson("--triage", at("nowhere.json"), at("samples", "deep"));
    expect(lines[0]).toMatchObject({ reason: expect.stringContaining("routed-nowhere"), results: [] });
  });

  it("takes silence for benign and another engine where told to", async () => {
    const { lines } = await scanJson("--benign", "eicar=0.8", "--distill", "lean", at("samples", "deep"));
    expect(lines[0]).toMatchObject({ verdict: "benign", confidence: expect.closeTo(0.8) });
  });

  it("takes files for URLs when told to, and says so when one is no text", async () => {
    const { lines } = await scanJson("--kind", "url", at("address"), at("not-text"));
    expect(lines.map(({ verdict, results }) => [verdict, results[0]?.reason])).toEqual([
      ["malicious", null],
      ["unknown", "not-text"],
    ]);
  });

  it.each([
    [[], /There is nothing to scan\. .*microengine scan/],
    [["--backend", "norton", "."], /There is no backend "norton"/],
    [["--backend", "./none.ts", "."], /There is no scanner module .*none\.ts/],
    [["--benign", "clamav=0.5", "."], /--benign names "clamav", which is not in use\. In use: eicar/],
    [["--distill", "oracle", "."], /There is no distillation engine "oracle"/],
    [["--kind", "folder", "."], /it must be one of file, url/],
    [["--deadline", "0", "."], /--deadline: it must be a number of seconds above 0/],
    [["--polyswarmd-addr", "x", "."], /unknown option '--polyswarmd-addr'/],
  ])("answers %j with one line and exit code 2", async (args, sentence) => {
    const { code, stdout, stderr } = await scan(...args);
    expect(stderr).toMatch(/^microengine: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

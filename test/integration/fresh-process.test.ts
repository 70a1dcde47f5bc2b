import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { openPools } from "../../src/consumer/scan-pools.ts";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { ScanPool } from "../../src/isolation/scan-pool.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";
import { microengine } from "../e2e/run-process.ts";

const TURNED = fileURLToPath(new URL("../fixtures/scanners/turned.ts", import.meta.url));
const log = pino({ level: "silent" });
const never = new AbortController().signal;

const open = (fresh: readonly string[]): Promise<ScanPool> =>
  ScanPool.open(resolveBackend(TURNED), { size: 1, log, fresh });

/** The verdicts of some files, one after the other. */
async function verdicts(pool: ScanPool, ...texts: readonly string[]): Promise<unknown[]> {
  const said: unknown[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const deadline = Date.now() + 60_000;
    const request = { kind: "file" as const, bytes, sha256: "", types: [], claim: NO_CLAIM, deadline };
    const outcome = await pool.scan(request, never);
    said.push(outcome.kind === "finding" ? (outcome.finding as { verdict: string }).verdict : outcome);
  }
  return said;
}

describe.concurrent("a scanner process that a file has taken over", () => {
  it("answers for the artifacts after it, where a process scans several", async () => {
    await using pool = await open([]);
    expect(await verdicts(pool, "bad", "take over", "bad")).toEqual(["malicious", "benign", "benign"]);
  });

  it.each([
    ["by its name", "turned"],
    ["as it was written", TURNED],
  ])("answers for its own artifact alone where each has a process of its own, named %s", async (_, name) => {
    await using pool = await open([name]);
    const said = await verdicts(pool, "bad", "take over", "bad", "bad");
    expect(said).toEqual(["malicious", "benign", "malicious", "malicious"]);
  });

  it("leaves nothing to the processes after it, where each artifact has its own", async () => {
    await using pool = await open(["turned"]);
    await verdicts(pool, "take over", "bad");
    expect([...pool.measures]).toEqual([]);
  });
});

describe.concurrent("a backend whose artifacts are to have processes of their own", () => {
  it("is refused when there is none of that name", async () => {
    await using opened = new AsyncDisposableStack();
    const terms = { backends: ["eicar"], scanLimit: 1, freshProcess: ["eicar", "yara"] };
    await expect(openPools({ terms, log }, opened)).rejects.toMatchObject({
      code: "BACKEND_UNKNOWN",
      message: expect.stringContaining('--fresh-process (variable FRESH_PROCESS) names "yara"'),
    });
  });

  it("is told by a setting", async () => {
    const flags = [
      "scan",
      "--backend",
      TURNED,
      "--fresh-process",
      "turned",
      "--json",
      "README.md",
      "package.json",
    ];
    const { code, stdout } = await microengine(flags);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).verdict),
    ).toEqual(["malicious", "malicious"]);
    expect(code).toBe(0);
  });
});

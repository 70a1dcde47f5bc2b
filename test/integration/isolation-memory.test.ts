import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { residentBytes } from "../../src/isolation/process/resident-memory.ts";
import type { ScanOutcome } from "../../src/isolation/running-scan.ts";
import { ScanPool } from "../../src/isolation/scan-pool.ts";
import { createLogger } from "../../src/observe/log.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";
import { listening } from "../fixtures/queue/listening.ts";

const MIB = 1024 * 1024;
const HOG = resolveBackend(fileURLToPath(new URL("../fixtures/scanners/hog.ts", import.meta.url)));
const log = createLogger({ level: "silent", format: "json", name: "test" });
const never = new AbortController().signal;

const open = (memoryBytes: number) => ScanPool.open(HOG, { size: 1, log, limits: { memoryBytes } });
let artifacts = 0;
/** Of another content each time. */
const scan = (pool: ScanPool, word: string, sha256 = `artifact ${artifacts++}`): Promise<ScanOutcome> =>
  pool.scan(
    {
      kind: "file",
      bytes: Buffer.from(word),
      sha256,
      types: [],
      claim: { raw: {} },
      deadline: Date.now() + 30_000,
    },
    never,
  );
interface Facts {
  readonly pid: number;
  readonly folder: string;
  readonly files: readonly string[];
}
const facts = (outcome: ScanOutcome) =>
  (outcome as unknown as { finding: { metadata: Facts } }).finding.metadata;

describe("a scanner that takes too much", () => {
  it("is killed when it holds more memory than it may, however it came by it, and replaced", async () => {
    await using pool = await open(250 * MIB);
    for (const word of ["buffers", "program", "program-of-a-thread"]) {
      const { pid } = facts(await scan(pool, "nothing"));
      expect(await scan(pool, word)).toEqual({
        kind: "out-of-memory",
        detail: expect.stringMatching(/^It held \d+ bytes of memory, of 262144000\.$/),
      });
      expect(residentBytes(pid)).toBeUndefined();
    }
    expect(await scan(pool, "nothing")).toMatchObject({ kind: "finding" });
  });

  it("is killed and replaced when it takes more than it may after its scan, which nobody is blamed for", async () => {
    const { log, says } = listening();
    await using pool = await ScanPool.open(HOG, { size: 1, log, limits: { memoryBytes: 250 * MIB } });
    const { pid } = facts(await scan(pool, "later"));
    const death = await says("scanner.died");
    expect(death).toMatchObject({ why: "out-of-memory" });
    expect(death).not.toHaveProperty("sha256");
    expect(residentBytes(pid)).toBeUndefined();
    expect(facts(await scan(pool, "nothing")).pid).not.toBe(pid);
  });

  it("ends for its memory, and not as a crash, when its JavaScript heap is full", async () => {
    await using pool = await open(150 * MIB);
    expect(await scan(pool, "heap")).toMatchObject({ kind: "out-of-memory" });
  });

  it("is replaced once it keeps more than half of what it had to spare, and not before", async () => {
    await using pool = await open(600 * MIB);
    const pids: number[] = [];
    for (const word of ["keep", "keep", "nothing"]) pids.push(facts(await scan(pool, word)).pid);
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
  });

  it("stops the consumer with the flag to raise when it cannot even start", async () => {
    await expect(open(20 * MIB)).rejects.toMatchObject({
      name: "ConfigFault",
      code: "BACKEND_START_FAILED",
      hint: expect.stringContaining("--scan-memory"),
    });
  });

  it("finds relative names, temporary files and those of its programs in a folder that is gone after the scan", async () => {
    await using pool = await open(1024 * MIB);
    const first = facts(await scan(pool, "litter"));
    expect(first.files).toEqual(["also", "beside-me", "from-a-program", "in-tmpdir"]);
    expect(existsSync(first.folder)).toBe(false);
    const second = facts(await scan(pool, "litter"));
    expect(second.folder).not.toBe(first.folder);
    expect(second.files).toEqual(first.files);
  });

  it("is not given what has killed it twice, and is given everything else", async () => {
    await using pool = await open(200 * MIB);
    const poison = () => scan(pool, "buffers", "poison");
    expect([(await poison()).kind, (await poison()).kind]).toEqual(["out-of-memory", "out-of-memory"]);
    expect(await poison()).toEqual({ kind: "crashed", detail: expect.stringContaining("not tried again") });
    expect(await scan(pool, "nothing")).toMatchObject({ kind: "finding" });
  });
});

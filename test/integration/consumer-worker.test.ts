import { fork, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openConsumer } from "../../src/consumer/consumer.ts";
import { describeBackend } from "../../src/isolation/describe.ts";
import { ScanPool } from "../../src/isolation/scan-pool.ts";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { WORKER_LIMITS, type WorkerLimits } from "../../src/isolation/worker-limits.ts";
import { createLogger } from "../../src/observe/log.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";
import { listening } from "../fixtures/queue/listening.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });
const never = new AbortController().signal;
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/scanners/${name}`, import.meta.url));
const PUPPET = resolveBackend(fixture("puppet.ts"));

const request = (word: string, inMs = 10_000) => ({
  kind: "file" as const,
  bytes: Buffer.from(word),
  sha256: "",
  types: [],
  claim: { raw: {} },
  deadline: Date.now() + inMs,
});

interface Told {
  readonly metadata: { readonly pid: number; readonly file: string; readonly text: string };
}
const told = (outcome: unknown): Told["metadata"] => (outcome as { finding: Told }).finding.metadata;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("describing a backend", () => {
  it("asks a built-in for its name, version and what it accepts", async () => {
    const eicar = { spec: "eicar", name: "eicar", version: "1.0.0", accepts: { kinds: ["file", "url"] } };
    expect(await describeBackend("eicar")).toEqual(eicar);
  });

  it("takes a path from the folder it is given, and a function that makes the scanner", async () => {
    const described = await describeBackend("./made-by-function.ts", { cwd: dirname(fixture("any")) });
    expect(described).toEqual({ spec: "./made-by-function.ts", name: "made", version: "0.1.0", accepts: {} });
  });

  it.each([
    ["a name that is not built in", "eicarr", "BACKEND_UNKNOWN", "eicarr"],
    ["a path where nothing is", "./no/such/scanner.ts", "BACKEND_MODULE_MISSING", "no/such/scanner.ts"],
    [
      "a module without the export",
      fixture("wrong-export.ts"),
      "BACKEND_EXPORT_MISSING",
      "it exports helper, scaner",
    ],
    ["a scanner with a wrong version", fixture("wrong-version.ts"), "BACKEND_INVALID", "scanner.version"],
    [
      "a module whose own import is missing",
      fixture("missing-import.mjs"),
      "BACKEND_INVALID",
      "no-such-rules",
    ],
  ])("says in one sentence what is wrong with %s", async (_, spec, code, words) => {
    const error = await describeBackend(spec).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "ConfigFault", code, message: expect.stringContaining(words) });
    expect((error as Error).message).not.toContain("\n");
  });

  it("says in which line of which module a slip of the pen is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "microengine-syntax-"));
    try {
      writeFileSync(join(folder, "rules.ts"), "export const rules = [\n  1 2,\n];\n");
      writeFileSync(join(folder, "scanner.ts"), 'export { rules as scanner } from "./rules.ts";\n');
      await expect(describeBackend(join(folder, "scanner.ts"))).rejects.toMatchObject({
        code: "BACKEND_INVALID",
        message: expect.stringMatching(
          new RegExp(`scanner\\.ts cannot be loaded: [^\n]+ \\(${join(folder, "rules.ts")}:2\\)\\.`),
        ),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("does not set up a scanner whose rules are where its consumers are", async () => {
    expect(await describeBackend(fixture("setup-fails.ts"))).toMatchObject({
      spec: fixture("setup-fails.ts"),
    });
    await expect(ScanWorker.start(resolveBackend(fixture("setup-fails.ts")))).rejects.toMatchObject({
      name: "ConfigFault",
      code: "BACKEND_SETUP_FAILED",
      message: expect.stringContaining("no rules in ./rules"),
    });
  });

  it("does not wait for ever for a scanner's setup, and does not blame the configuration", async () => {
    const starting = ScanWorker.start(resolveBackend(fixture("setup-hangs.ts")), {
      limits: { startMs: 300 },
    });
    await expect(starting).rejects.toMatchObject({ name: "Fault", code: "BACKEND_SLOW" });
  });

  it("passes on the last words of a scanner whose process ends in its setup", async () => {
    await expect(ScanWorker.start(resolveBackend(fixture("setup-dies.ts")))).rejects.toMatchObject({
      code: "BACKEND_START_FAILED",
      hint: expect.stringContaining("the licence has run out"),
    });
  });

  it("says why there is no process for a scanner, and lives on, when no more files may be open", async () => {
    const program = fileURLToPath(new URL("./consumer-crowded.ts", import.meta.url));
    const crowded = spawn("/bin/sh", ["-c", 'ulimit -n 200; exec "$@"', "sh", process.execPath, program]);
    const said = text(crowded.stdout);
    expect(await once(crowded, "close")).toEqual([0, null]);
    expect(await said).toMatch(/^BACKEND_START_FAILED .* EMFILE/);
  });

  it("refuses two backends of one name", async () => {
    const terms = {
      polyswarmdAddr: "http://127.0.0.1:1",
      allowKeyOverHttp: false,
      backends: [fixture("puppet.ts"), PUPPET.moduleUrl],
      scanLimit: 1,
      maxArtifactSize: 1,
      name: "twice",
    };
    const opening = openConsumer({ terms, log });
    await expect(opening).rejects.toMatchObject({ code: "BACKEND_DUPLICATE" });
  });
});

describe("a scan worker", () => {
  it("survives a scanner that heeds the signal at its deadline", async () => {
    const worker = await ScanWorker.start(PUPPET, { limits: { graceMs: 2000 } });
    const { pid } = told(await worker.scan(request("pid"), never));
    expect(await worker.scan(request("heed", 100), never)).toMatchObject({ kind: "finding" });
    expect(told(await worker.scan(request("pid"), never)).pid).toBe(pid);
    await worker.close();
  });

  it("leaves it to the consumer what a stop signal to the whole group means", async () => {
    const worker = await ScanWorker.start(PUPPET);
    const { pid } = told(await worker.scan(request("pid"), never));
    for (const signal of ["SIGINT", "SIGTERM"]) process.kill(pid, signal);
    expect(told(await worker.scan(request("pid"), never)).pid).toBe(pid);
    await worker.close();
  });

  it("is of no use any more, and ended, when its scanner hangs up on the consumer", async () => {
    await using pool = await ScanPool.open(PUPPET, { size: 1, log });
    expect(await pool.scan(request("hang-up"), never)).toMatchObject({ kind: "crashed" });
    expect(await pool.scan(request("silent"), never)).toMatchObject({ kind: "finding" });
  });

  it("opens no debugger to another scanner that signals it", async () => {
    const worker = await ScanWorker.start(PUPPET);
    const { pid } = told(await worker.scan(request("pid"), never));
    process.kill(pid, "SIGUSR1");
    expect(told(await worker.scan(request("pid"), never)).pid).toBe(pid);
    await worker.close();
    expect(worker.lastWords).toBe("");
  });

  it("hands content of any size over whole, one after the other, as bytes and as a file", async () => {
    const worker = await ScanWorker.start(PUPPET);
    const { channelBytes, keptBytes } = WORKER_LIMITS;
    const sizes = [300_000, channelBytes, channelBytes + 1, 7, keptBytes, keptBytes + 1, 200_000, 1_000_000];
    for (const size of sizes) {
      const bytes = Buffer.alloc(size, `digest\n${size} bytes`);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const outcome = await worker.scan({ ...request(""), bytes }, never);
      expect(told(outcome)).toEqual({ bytes: sha256, file: sha256 });
    }
    await worker.close();
  });

  it.each([
    ["kept", {}],
    ["its own", { keptBytes: 3 }],
  ])("hands large content over in a file that is %s, and leaves none after the scan", async (_, limits) => {
    const worker = await ScanWorker.start(PUPPET, { limits: { channelBytes: 3, ...limits } });
    const { file, text } = told(await worker.scan(request("path"), never));
    expect(text).toBe("path");
    expect(existsSync(file)).toBe(false);
    await worker.close();
  });

  it("writes the artifact for nobody whose scan is over", async () => {
    const worker = await ScanWorker.start(PUPPET);
    await worker.scan(request("remember"), never);
    const outcome = await worker.scan(request("recall"), never);
    expect(outcome).toEqual({ kind: "thrown", detail: "The scan is over" });
    await worker.close();
  });

  it.each([
    ["kept", "artifact", "../content", {}],
    ["its own", ".", "../2", { keptBytes: 3 }],
  ])("hands nothing over through a link that its scanner laid: %s", async (_, target, at, limits) => {
    const folder = mkdtempSync(join(tmpdir(), "microengine-link-"));
    const precious = join(folder, "artifact");
    writeFileSync(precious, "as it was");
    const worker = await ScanWorker.start(PUPPET, { limits });
    const link = request(`link\n${join(folder, target)}\n${at}`);
    expect(await worker.scan(link, never)).toMatchObject({ kind: "finding" });
    const outcome = await worker.scan({ ...request(""), bytes: Buffer.alloc(100_000) }, never);
    const detail = expect.stringContaining("could not be handed over");
    expect(outcome).toEqual({ kind: "not-handed-over", detail });
    expect(readFileSync(precious, "utf8")).toBe("as it was");
    await worker.gone;
    rmSync(folder, { recursive: true });
  });

  it("leaves no files behind when it is killed in the middle of a scan", async () => {
    const worker = await ScanWorker.start(PUPPET, { limits: { channelBytes: 3, graceMs: 0 } });
    const { file } = told(await worker.scan(request("path"), never));
    expect(await worker.scan(request("spin", 100), never)).toEqual({ kind: "timeout" });
    await worker.gone;
    expect(existsSync(dirname(dirname(file)))).toBe(false);
  });

  it("leaves no files behind when its consumer ends the moment after it did", async () => {
    const folder = mkdtempSync(join(tmpdir(), "microengine-hasty-"));
    const program = fileURLToPath(new URL("./consumer-hasty.ts", import.meta.url));
    const consumer = fork(program, { execArgv: [], env: { ...process.env, TMPDIR: folder } });
    expect(await once(consumer, "exit")).toEqual([0, null]);
    await expect.poll(() => readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it("does not outlive a consumer that was killed, even while its scanner spins, nor do its files", async () => {
    const program = fileURLToPath(new URL("./consumer-orphan.ts", import.meta.url));
    const consumer = fork(program, { execArgv: [], silent: true });
    const spinning = (async () => {
      for await (const text of consumer.stderr!.setEncoding("utf8")) if (text.includes("spinning")) return;
    })();
    const [said] = (await once(consumer, "message")) as [Told];
    await spinning;
    consumer.kill("SIGKILL");
    await once(consumer, "exit");
    await expect.poll(() => isRunning(said.metadata.pid)).toBe(false);
    expect(existsSync(dirname(dirname(said.metadata.file)))).toBe(false);
  });
});

describe("a pool of scan workers", () => {
  const open = (limits: Partial<WorkerLimits>, size = 1) => ScanPool.open(PUPPET, { size, log, limits });

  it("replaces a worker after so many scans", async () => {
    await using pool = await open({ maxScans: 2 });
    const pids: number[] = [];
    for (let scans = 0; scans < 4; scans++) pids.push(told(await pool.scan(request("pid"), never)).pid);
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
    expect(pids[3]).toBe(pids[2]);
  });

  it("replaces a worker after a large artifact", async () => {
    await using pool = await open({ largeBytes: 4 });
    const first = told(await pool.scan(request("pid"), never)).pid;
    await pool.scan(request("silent"), never);
    expect(told(await pool.scan(request("pid"), never)).pid).not.toBe(first);
  });

  it("does not hold it against content that it could not be handed over", async () => {
    await using pool = await open({});
    const innocent = { bytes: Buffer.alloc(100_000), sha256: "innocent" };
    for (let times = 0; times < 2; times++) {
      await pool.scan(request("link\n/nowhere\n../content"), never);
      expect(await pool.scan({ ...request(""), ...innocent }, never)).toMatchObject({
        kind: "not-handed-over",
      });
    }
    expect(await pool.scan({ ...request(""), ...innocent }, never)).toMatchObject({ kind: "finding" });
  });

  it("says when a worker dies while nothing is asked of it, and starts the next when something is", async () => {
    const { log, entries, says } = listening();
    const deaths = () => entries.filter(({ msg }) => msg === "scanner.died");
    const starts = () => entries.filter(({ msg }) => msg === "scanner.told").map(({ text }) => text);
    await using pool = await ScanPool.open(resolveBackend(fixture("short-lived.ts")), { size: 1, log });
    await says("scanner.died");
    // In the time that it takes to start others, none has been started here.
    for (let others = 0; others < 3; others++) await (await ScanWorker.start(PUPPET)).close();
    expect(deaths()).toMatchObject([
      { backend: "short-lived", why: "crashed", detail: expect.stringContaining("exit code 7") },
    ]);
    expect(starts()).toEqual(["start 1"]);
    expect(await pool.scan(request("anything"), never)).toMatchObject({ kind: "finding" });
    expect(starts()).toEqual(["start 1", "start 2"]);
  });

  it("makes scans wait when all workers are busy, and gives up on one at its deadline", async () => {
    await using pool = await open({ graceMs: 0 });
    const stuck = pool.scan(request("hang", 600), never);
    const late = pool.scan(request("silent", 100), never);
    const next = pool.scan(request("silent"), never);
    expect(await Promise.race([stuck.then(() => "stuck"), late.then(() => "late")])).toBe("late");
    expect(await late).toEqual({ kind: "timeout" });
    expect(await stuck).toEqual({ kind: "timeout" });
    expect(await next).toMatchObject({ kind: "finding" });
  });

  it("scans as many at once as it has room for", async () => {
    await using pool = await open({ graceMs: 2000 }, 3);
    // Each ends at its own deadline and not before: one that had to wait for another would be late.
    const scans = [1, 2, 3].map(() => pool.scan(request("heed", 2000), never));
    expect((await Promise.all(scans)).map(({ kind }) => kind)).toEqual(["finding", "finding", "finding"]);
  });

  it("answers crashed while its scanner cannot be started again, and recovers when it can", async () => {
    const fragile = resolveBackend(fixture("setup-fragile.ts"));
    await using pool = await ScanPool.open(fragile, { size: 1, log });
    const scan = () => pool.scan(request("anything"), never);
    process.env.SCANNER_BROKEN = "yes";
    expect(await scan()).toMatchObject({ kind: "crashed" });
    expect(await scan()).toEqual({ kind: "crashed", detail: expect.stringContaining("the rules are gone") });
    expect(pool.healthy()).toBe(false);
    expect(pool.trouble()).toContain("the rules are gone");
    delete process.env.SCANNER_BROKEN;
    expect(await scan()).toMatchObject({ kind: "crashed", detail: expect.stringContaining("exit code 9") });
    expect([pool.healthy(), pool.trouble()]).toEqual([true, undefined]);
  });

  it("cancels whoever scans or waits when it is closed", async () => {
    const pool = await open({});
    const scans = [pool.scan(request("hang"), never), pool.scan(request("silent"), never)];
    await pool[Symbol.asyncDispose]();
    expect((await Promise.all(scans)).map(({ kind }) => kind)).toEqual(["cancelled", "cancelled"]);
  });
});

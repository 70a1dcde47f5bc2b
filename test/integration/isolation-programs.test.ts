import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScanOutcome } from "../../src/isolation/running-scan.ts";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const MIB = 1024 * 1024;
const PUPPET = resolveBackend(fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url)));
const ORPHAN = fileURLToPath(new URL("./consumer-orphan.ts", import.meta.url));
const never = new AbortController().signal;

const scan = (worker: ScanWorker, word: string, inMs = 30_000): Promise<ScanOutcome> =>
  worker.scan(
    {
      kind: "file",
      bytes: Buffer.from(word),
      sha256: "",
      types: [],
      claim: { raw: {} },
      deadline: Date.now() + inMs,
    },
    never,
  );

/** A program that a scanner starts connects to a socket here, and is gone when the connection is. */
describe("a program that a scanner started", () => {
  const server = createServer();
  let folder: string;
  let socket: string;
  const programs = new Set<Socket>();
  const consumers = new Set<ChildProcess>();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "microengine-programs-"));
    socket = join(folder, "s");
    server.removeAllListeners("connection").on("connection", (program) => programs.add(program.resume()));
    await once(server.listen(socket), "listening");
  });
  afterEach(async () => {
    for (const program of programs) program.destroy();
    programs.clear();
    for (const consumer of consumers) consumer.kill("SIGKILL");
    consumers.clear();
    await new Promise((closed) => server.close(closed));
    rmSync(folder, { recursive: true });
  });

  /** The connection of the program that `starting` has started by its end. */
  async function programOf(starting: Promise<unknown>): Promise<Socket> {
    const connected = once(server, "connection") as Promise<[Socket]>;
    await starting;
    const [program] = await connected;
    program.on("error", () => {}); // it was killed
    return program;
  }

  const ended = (program: Socket): Promise<unknown> | undefined =>
    program.closed ? undefined : once(program, "close");

  it.each<[how: string, end: (worker: ScanWorker) => Promise<unknown>, outcome: unknown]>([
    ["overruns its deadline", (worker) => scan(worker, "spin", 200), { kind: "timeout" }],
    [
      "holds too much memory",
      (worker) => scan(worker, "swell"),
      { kind: "out-of-memory", detail: expect.stringContaining("It held") },
    ],
    [
      "ends by itself",
      (worker) => scan(worker, "exit"),
      { kind: "crashed", detail: expect.stringContaining("exit code 3") },
    ],
    [
      "crashes",
      (worker) => scan(worker, "abort"),
      { kind: "crashed", detail: expect.stringContaining("SIGABRT") },
    ],
    ["is asked to end", (worker) => worker.close(), undefined],
  ])("is gone when its process %s", async (_, end, outcome) => {
    const worker = await ScanWorker.start(PUPPET, { limits: { graceMs: 0, memoryBytes: 300 * MIB } });
    const program = await programOf(scan(worker, `program\n${socket}`));
    expect(await end(worker)).toEqual(outcome);
    await worker.gone;
    await ended(program);
  });

  it("is gone when its process is killed, also in a session of its own", async () => {
    const worker = await ScanWorker.start(PUPPET, { limits: { graceMs: 0 } });
    const program = await programOf(scan(worker, `program-apart\n${socket}`));
    worker.kill();
    await worker.gone;
    await ended(program);
  });

  it("keeps nobody waiting when it left for a session of its own with the scanner's output", async () => {
    const worker = await ScanWorker.start(PUPPET, { limits: { graceMs: 0 } });
    const program = await programOf(scan(worker, `program-apart\n${socket}`));
    expect(await scan(worker, "exit")).toMatchObject({ kind: "crashed" });
    await worker.gone;
    expect(program.closed).toBe(false);
  });

  it("is gone when the consumer was killed", async () => {
    const consumer = fork(ORPHAN, [socket], { execArgv: [], silent: true });
    consumers.add(consumer);
    const program = await programOf(once(consumer, "message"));
    consumer.kill("SIGKILL");
    await ended(program);
  });
});

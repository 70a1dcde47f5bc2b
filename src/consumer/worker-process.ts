/**
 * The program of a scan worker: loads one scanner, sets it up, then scans what it is sent, one artifact at a time.
 * It is killed from outside when a scan overruns; here the deadline only aborts the scanner's signal.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { serveContracts } from "../config/contract-imports.ts";
import { describeError, Fault } from "../domain/fault.ts";
import type { Scanner, ScannerHost } from "../scanners/contract.ts";
import { describeScanner, loadScanner } from "../scanners/load.ts";
import { timerUntil } from "./timer.ts";
import { type FromWorker, type OpenMessage, type ScanMessage, ToWorker } from "./worker-messages.ts";

/**
 * A scanner in an endless loop never notices that its consumer was killed. This thread does: its parent process changes.
 */
const ORPHAN_WATCH = `
  const { workerData } = require("node:worker_threads");
  setInterval(() => {
    if (process.ppid === workerData.parent) return;
    require("node:fs").rmSync(workerData.directory, { recursive: true, force: true });
    process.kill(process.pid, "SIGKILL");
  }, 1000);
`;

/** How often a scanner is asked whether its service can be used, and how long it may take to say so. */
const CHECK_MS = 3_000;

/** As of now: by the time somebody looks again, it may have changed. */
const parent = process.ppid;
let scanner: Scanner | undefined;
let directory: string | undefined;

const say = (message: FromWorker): void => {
  process.send?.(message);
};

const tell: ScannerHost["tell"] = (level, sentence) =>
  say({ type: "told", level, sentence: String(sentence).slice(0, 2000) });
const bequeath: ScannerHost["bequeath"] = (state) => say({ type: "bequeathed", state });

async function open({ moduleUrl, settings, setUp, inherited }: OpenMessage): Promise<void> {
  try {
    serveContracts();
    scanner = await loadScanner(moduleUrl, settings);
    if (setUp) await scanner.setup?.({ tell, inherited, bequeath });
    say({ type: "ready", description: describeScanner(scanner) });
    if (setUp && scanner.check !== undefined) void watch(scanner);
  } catch (error) {
    const fault = error instanceof Fault ? error : undefined;
    const message =
      fault?.message ?? `The scanner ${scanner?.name} failed to set up: ${describeError(error)}.`;
    const hint = fault?.hint;
    say({ type: "refused", code: fault?.code ?? "BACKEND_SETUP_FAILED", message, ...(hint ? { hint } : {}) });
  }
}

/** Says when what the scanner depends on can no longer be used, and when it can again. */
async function watch(watched: Scanner): Promise<void> {
  let told: string | undefined;
  while (process.connected) {
    const trouble = await troubleOf(watched);
    if (trouble !== told) say({ type: "condition", ...(trouble === undefined ? {} : { trouble }) });
    told = trouble;
    await sleep(CHECK_MS, undefined, { ref: false });
  }
}

async function troubleOf(watched: Scanner): Promise<string | undefined> {
  try {
    await watched.check!(AbortSignal.timeout(CHECK_MS));
    return undefined;
  } catch (error) {
    return describeError(error).slice(0, 2000) || "It does not say why.";
  }
}

async function scan(message: ScanMessage): Promise<void> {
  const { id, deadline } = message;
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), timerUntil(deadline));
  const scratch = new Scratch(join(directory!, String(id)), message);
  try {
    const { kind, sha256, types, claim } = message;
    const artifact = { kind, sha256, types, claim, bytes: await scratch.bytes(), path: () => scratch.path() };
    const finding: unknown = await scanner!.scan(artifact, { signal: overdue.signal, deadline });
    await scratch.remove();
    answer(id, finding);
  } catch (error) {
    await scratch.remove();
    say({ type: "thrown", id, message: describeError(error).slice(0, 2000) });
  } finally {
    clearTimeout(timer);
  }
}

function answer(id: number, finding: unknown): void {
  try {
    say({ type: "finding", id, finding });
  } catch (error) {
    say({ type: "unsendable", id, message: describeError(error).slice(0, 2000) });
  }
}

/** The artifact as a file, in a folder that lasts as long as the scan. */
class Scratch {
  readonly #folder: string;
  readonly #content: ScanMessage["content"];
  #path: Promise<string> | undefined;

  constructor(folder: string, { content }: ScanMessage) {
    this.#folder = folder;
    this.#content = content;
    if ("path" in content) this.#path = Promise.resolve(content.path);
  }

  async bytes(): Promise<Uint8Array> {
    return "path" in this.#content ? readFile(this.#content.path) : this.#content.bytes;
  }

  path(): Promise<string> {
    this.#path ??= this.#write();
    return this.#path;
  }

  async #write(): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, "artifact");
    await writeFile(path, await this.bytes(), { mode: 0o600 });
    return path;
  }

  async remove(): Promise<void> {
    if (this.#path !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

async function close(): Promise<void> {
  await scanner?.teardown?.();
  process.disconnect?.();
  process.exit(0);
}

async function hear(message: ToWorker): Promise<void> {
  if (message.type === "close") return close();
  if (message.type === "scan") return scan(message);
  directory = message.directory;
  new Worker(ORPHAN_WATCH, { eval: true, workerData: { parent, directory } }).unref();
  return open(message);
}

process.on("message", (message) => void hear(ToWorker.parse(message)));
// The consumer is gone; nobody wants an answer any more.
process.on("disconnect", () => {
  if (directory === undefined) process.exit(0);
  void rm(directory, { recursive: true, force: true }).finally(() => process.exit(0));
});
// A terminal's Ctrl-C and a service manager's stop reach the whole group; the consumer decides when its workers end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

/**
 * The program of a scan worker: loads one scanner, sets it up, then scans what it is sent, one artifact at a time.
 * It is killed from outside when a scan overruns; here the deadline only aborts the scanner's signal.
 */
import { mkdirSync, rmSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serveContracts } from "../config/contract-imports.ts";
import { describeError, Fault } from "../domain/fault.ts";
import type { Scanner, ScannerHost } from "../scanners/contract.ts";
import { describeScanner, loadScanner } from "../scanners/load.ts";
import { killGroup } from "../scanners/process-group.ts";
import { timerUntil } from "./timer.ts";
import { type FromWorker, type OpenMessage, type ScanMessage, ToWorker } from "./worker-messages.ts";

/** How often a scanner is asked whether its service can be used, and how long it may take to say so. */
const CHECK_MS = 3_000;

/** Whether this process was started within the bounds that its scanner asks for. */
const confined = process.permission !== undefined;
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
    if (setUp && scanner.confine !== undefined && !confined)
      return say({ type: "confine", confinement: scanner.confine });
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
  const scratch = new Scratch(directory!, message);
  try {
    scratch.enter();
    const { kind, sha256, types, claim } = message;
    const artifact = { kind, sha256, types, claim, bytes: await scratch.bytes(), path: () => scratch.path() };
    const finding: unknown = await scanner!.scan(artifact, { signal: overdue.signal, deadline });
    scratch.leave();
    answer(id, finding);
  } catch (error) {
    scratch.leave();
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

/** The folder of one scan: where its temporary files go, and the artifact as a file when it is asked for. */
class Scratch {
  readonly #home: string;
  readonly #folder: string;
  readonly #content: ScanMessage["content"];
  #path: Promise<string> | undefined;

  constructor(home: string, { id, content }: ScanMessage) {
    this.#home = home;
    this.#folder = join(home, String(id));
    this.#content = content;
    if ("path" in content) this.#path = Promise.resolve(content.path);
  }

  enter(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    workIn(this.#folder);
  }

  /** Gone with everything in it, whatever the scanner made of it. */
  leave(): void {
    try {
      workIn(this.#home);
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // What may not be removed now goes with the process.
    }
  }

  async bytes(): Promise<Uint8Array> {
    return "path" in this.#content ? readFile(this.#content.path) : this.#content.bytes;
  }

  path(): Promise<string> {
    this.#path ??= this.#write();
    return this.#path;
  }

  async #write(): Promise<string> {
    const path = join(this.#folder, "artifact");
    await writeFile(path, await this.bytes(), { mode: 0o600 });
    return path;
  }
}

/** Relative names and temporary files, also those of programs that are started, lead there. */
function workIn(folder: string): void {
  process.chdir(folder);
  process.env.TMPDIR = folder;
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
  return open(message);
}

process.on("message", (message) => void hear(ToWorker.parse(message)));
// The consumer is gone; nobody wants an answer any more, nor what the scanner's programs are at.
process.on("disconnect", async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => {});
  // It leads a group of its own: this ends it as well.
  killGroup(process.pid);
});
// A service manager's stop reaches all processes of the service; the consumer decides when its workers end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

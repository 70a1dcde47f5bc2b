/**
 * The program of a scan worker: loads one scanner, sets it up, then scans what it is sent, one artifact at a time.
 * It is killed from outside when a scan overruns; here the deadline only aborts the scanner's signal.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describeError, Fault } from "../domain/fault.ts";
import type { Artifact, Scanner } from "../scanners/contract.ts";
import { describeScanner, loadScanner } from "../scanners/load.ts";
import { type FromWorker, type ScanMessage, ToWorker } from "./worker-messages.ts";

/**
 * A scanner in an endless loop never notices that its consumer was killed. This thread does: its parent process changes.
 */
const ORPHAN_WATCH = `
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 1000);
`;

let scanner: Scanner | undefined;
let directory: string | undefined;

const say = (message: FromWorker): void => {
  process.send?.(message);
};

async function open(moduleUrl: string): Promise<void> {
  try {
    scanner = await loadScanner(moduleUrl);
    await scanner.setup?.();
    say({ type: "ready", description: describeScanner(scanner) });
  } catch (error) {
    const fault = error instanceof Fault ? error : undefined;
    const message =
      fault?.message ?? `The scanner ${scanner?.name} failed to set up: ${describeError(error)}.`;
    const hint = fault?.hint;
    say({ type: "refused", code: fault?.code ?? "BACKEND_SETUP_FAILED", message, ...(hint ? { hint } : {}) });
  }
}

async function scan(message: ScanMessage): Promise<void> {
  const scratch = join(directory!, String(message.id));
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), Math.max(0, message.deadline - Date.now()));
  try {
    const artifact = await unpack(message, scratch);
    const finding: unknown = await scanner!.scan(artifact, {
      signal: overdue.signal,
      deadline: message.deadline,
    });
    answer(message.id, finding);
  } catch (error) {
    say({ type: "thrown", id: message.id, message: describeError(error).slice(0, 2000) });
  } finally {
    clearTimeout(timer);
    await rm(scratch, { recursive: true, force: true });
  }
}

function answer(id: number, finding: unknown): void {
  try {
    say({ type: "finding", id, finding });
  } catch (error) {
    say({ type: "unsendable", id, message: describeError(error).slice(0, 2000) });
  }
}

async function unpack(message: ScanMessage, scratch: string): Promise<Artifact> {
  const { kind, content, sha256, types, claim } = message;
  const bytes = "path" in content ? await readFile(content.path) : content.bytes;
  let written: Promise<string> | undefined = "path" in content ? Promise.resolve(content.path) : undefined;
  const path = (): Promise<string> => {
    written ??= (async () => {
      await mkdir(scratch, { recursive: true, mode: 0o700 });
      const file = join(scratch, "artifact");
      await writeFile(file, bytes, { mode: 0o600 });
      return file;
    })();
    return written;
  };
  return { kind, bytes, path, sha256, types, claim };
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
  return open(message.moduleUrl);
}

new Worker(ORPHAN_WATCH, { eval: true }).unref();
process.on("message", (message) => void hear(ToWorker.parse(message)));
// The consumer is gone; nobody wants an answer any more.
process.on("disconnect", () => {
  if (directory === undefined) process.exit(0);
  void rm(directory, { recursive: true, force: true }).finally(() => process.exit(0));
});
// A terminal's Ctrl-C reaches the whole group; the consumer decides when its workers end.
process.on("SIGINT", () => {});

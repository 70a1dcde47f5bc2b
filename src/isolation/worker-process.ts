/**
 * The program of a scan worker: loads one scanner, sets it up, then scans what it is sent, one artifact at a time.
 * It is killed from outside when a scan overruns; here the deadline only aborts the scanner's signal.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { timeoutSignal, timerUntil } from "../async/long-timer.ts";
import { serveContracts } from "../config/contract-imports.ts";
import { describeError, Fault } from "../domain/fault.ts";
import { keepDebuggerShut } from "../observe/debugger.ts";
import type { Scanner, ScannerHost } from "../scanners/contract.ts";
import { sendable } from "../scanners/finding.ts";
import { describeScanner, loadScanner } from "../scanners/load.ts";
import { killGroup } from "../scanners/process-group.ts";
import { Scratch } from "./process/scratch.ts";
import { type FromWorker, type OpenMessage, type ScanMessage, ToWorker } from "./worker-messages.ts";

/** How often a scanner is asked whether its service can be used, and how long it may take to say so. */
const CHECK_MS = 3_000;

/** Whether this process was started within the bounds that its scanner asks for. */
const confined = process.permission !== undefined;
let scanner: Scanner | undefined;
let directory: string | undefined;
let scratch: Scratch;

const say = (message: FromWorker): void => {
  process.send?.(message);
};

const tell: ScannerHost["tell"] = (level, sentence) =>
  say({ type: "told", level, sentence: String(sentence).slice(0, 2000) });
const bequeath: ScannerHost["bequeath"] = (state) => say({ type: "bequeathed", state });
const measure: ScannerHost["measure"] = (name, value) => say({ type: "measured", name, value });

async function open({ moduleUrl, settings, setUp, inherited, lead }: OpenMessage): Promise<void> {
  try {
    serveContracts();
    scanner = await loadScanner(moduleUrl, settings);
    if (setUp && scanner.confine !== undefined && !confined)
      return say({ type: "confine", confinement: scanner.confine });
    if (setUp) await scanner.setup?.({ tell, inherited, bequeath, lead, measure });
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
    await watched.check!(timeoutSignal(CHECK_MS));
    return undefined;
  } catch (error) {
    return describeError(error).slice(0, 2000) || "It does not say why.";
  }
}

async function scan(message: ScanMessage): Promise<void> {
  const { id, kind, sha256, types, claim, content, deadline } = message;
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), timerUntil(deadline));
  // What is kept is overwritten by the next scan, and lies in another folder.
  const own = "path" in content && !content.kept ? content.path : undefined;
  try {
    scratch.enter(id, own === undefined ? undefined : dirname(own));
    const bytes = "bytes" in content ? content.bytes : readBeginning(content.path, content.sizeBytes);
    let written = own === undefined ? undefined : Promise.resolve(own);
    const path = (): Promise<string> => (written ??= scratch.write(id, bytes));
    const artifact = { kind, sha256, types, claim, bytes, path };
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
    say({ type: "finding", id, finding: sendable(finding) });
  } catch (error) {
    say({ type: "unsendable", id, message: describeError(error).slice(0, 2000) });
  }
}

/** All at once: this process has nothing else to do. Into memory of its own, which the scanner may hold on to. */
function readBeginning(path: string, sizeBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < sizeBytes; ) {
      const read = readSync(file, bytes, at, sizeBytes - at, at);
      if (read === 0) throw fileTooShort(at, sizeBytes);
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

const fileTooShort = (read: number, sizeBytes: number): Fault =>
  new Fault("ARTIFACT_FILE_SHORT", `The artifact's file ends after ${read} bytes, of ${sizeBytes}`);

async function close(): Promise<void> {
  await scanner?.teardown?.();
  process.disconnect?.();
  process.exit(0);
}

async function hear(message: ToWorker): Promise<void> {
  if (message.type === "close") return close();
  if (message.type === "scan") return scan(message);
  directory = message.directory;
  scratch = new Scratch(directory);
  return open(message);
}

process.on("message", (message) => void hear(ToWorker.parse(message)));
// The consumer is gone: no answer is wanted any more, nor what the scanner's programs do.
process.on("disconnect", async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => {});
  // It leads a group of its own: this ends it as well.
  killGroup(process.pid);
});
// A service manager's stop reaches all processes of the service; the consumer decides when its workers end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
keepDebuggerShut(process);

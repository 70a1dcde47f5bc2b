/**
 * Runs one program over one artifact, in a process group of its own.
 *
 *     running ──exit──► draining ──streams closed, or LINGER_MS──► ended
 *        │
 *        └─deadline, too much output──► group killed ──exit──► failed
 *
 * Whatever the program leaves running in its group is killed with it: after the exit, so that a child in the background
 * neither outlives the scan nor keeps its output open.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { settledWithin } from "../../async/within.ts";
import { Fault } from "../../domain/fault.ts";
import { killGroup } from "../process-group.ts";

interface ProgramRun {
  readonly executable: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** File to read on standard input; without one there is nothing to read. */
  readonly stdin?: string;
  readonly maxOutputBytes: number;
  /** Hears of the process group when there is one, and `undefined` when it is gone. */
  readonly onGroup: (group: number | undefined) => void;
}

export interface Ended {
  /** Exit code, or the signal that ended it. */
  readonly end: number | NodeJS.Signals;
  readonly stdout: string;
  /** Its last 4 KiB. */
  readonly stderr: string;
}

const MAX_STDERR_BYTES = 4096;
/** What left the group on purpose may hold the output open; after this it is not waited for. */
const LINGER_MS = 250;

/** Throws Fault PROGRAM_OVERDUE when the signal aborts first, PROGRAM_OUTPUT, or PROGRAM_START. */
export async function runProgram(run: ProgramRun, signal: AbortSignal): Promise<Ended> {
  await using input = run.stdin === undefined ? undefined : await open(run.stdin, "r");
  signal.throwIfAborted();
  const child = spawn(run.executable, run.args, {
    cwd: run.folder,
    env: run.env,
    detached: true,
    stdio: [input?.fd ?? "ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => {}); // a program that does not start says so by `exited`
  run.onGroup(child.pid);
  const killAll = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  let fault: Fault | undefined;
  const stop = (why: Fault): void => {
    fault ??= why;
    killAll();
  };
  const onAbort = (): void =>
    stop(new Fault("PROGRAM_OVERDUE", "The program did not end before the deadline."));
  signal.addEventListener("abort", onAbort, { once: true });
  const stdout = collect(child, run.maxOutputBytes, stop);
  const stderr = collectLast(child);
  try {
    const [code, by] = await exited;
    killAll();
    await drained(child, closed);
    if (fault !== undefined) throw fault;
    return { end: code ?? by!, stdout: stdout(), stderr: stderr() };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("PROGRAM_START", `The program does not start: ${(error as Error).message}.`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    run.onGroup(undefined);
  }
}

async function drained(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  await settledWithin(LINGER_MS, closed);
  child.stdout!.destroy();
  child.stderr!.destroy();
}

function collect(child: ChildProcess, maxBytes: number, stop: (why: Fault) => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout!.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else stop(new Fault("PROGRAM_OUTPUT", `The program printed more than ${maxBytes} bytes.`));
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function collectLast(child: ChildProcess): () => string {
  let last: Buffer = Buffer.alloc(0);
  child.stderr!.on("data", (chunk: Buffer) => {
    last = Buffer.concat([last, chunk]).subarray(-MAX_STDERR_BYTES);
  });
  return () => last.toString("utf8");
}

import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { ensureWritable } from "./ensure-writable.ts";

/** A data directory that no other process works in. */
interface HeldDataDir extends Disposable {
  /**
   * Names the directory among all of all machines. While it is held, an earlier holder under this name is gone.
   */
  readonly place: string;
  /** Whether others than its owner may look into it. Never one that was made here: then its owner chose so. */
  readonly open: boolean;
}

/**
 * Keeps a data directory for this process alone: two producers with one ledger and one wallet would take each other's
 * transaction numbers. The lock is SQLite's, on an empty database beside the ledger, so the operating system frees it
 * the moment its holder is gone, however it went. Who holds it stands in a file of its own, for people.
 * Throws ConfigFault DATA_DIR_HELD, or LEDGER_UNWRITABLE.
 */
export function holdDataDir(folder: string): HeldDataDir {
  const holder = join(folder, "producer.pid");
  const file = join(folder, "producer.lock");
  ensureWritable(file);
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file);
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    writeFileSync(holder, `process ${process.pid} on ${hostname()}`);
  } catch (cause) {
    lock?.close();
    throw isBusy(cause) ? held(folder, holder) : unlockable(folder, cause);
  }
  const { dev, ino } = statSync(file);
  return {
    place: `${hostname()}:${bootId()}:${dev}:${ino}`,
    open: (statSync(folder).mode & 0o077) !== 0,
    [Symbol.dispose]() {
      rmSync(holder, { force: true });
      lock.close();
    },
  };
}

/** Two machines set up alike have the same host name, and the same numbers for the first file on the same kind of disk. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // not on Linux
  }
}

/** SQLITE_BUSY. */
const isBusy = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "errcode" in error && error.errcode === 5;

function held(folder: string, holder: string): ConfigFault {
  return new ConfigFault(
    "DATA_DIR_HELD",
    `Another producer works in the data directory ${folder} (${readHolder(holder)}).`,
    { hint: "One wallet, one producer: stop that one, or choose another --data-dir for another wallet." },
  );
}

const unlockable = (folder: string, cause: unknown): ConfigFault =>
  new ConfigFault(
    "LEDGER_UNWRITABLE",
    `The data directory ${folder} cannot be locked: ${describeError(cause)}.`,
    {
      hint: "Make room on its disk; producer.lock and producer.pid in it may be removed while no producer runs.",
      cause,
    },
  );

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "it is just starting";
  }
}

import { DatabaseSync } from "node:sqlite";
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { isDiskTrouble } from "../disk-trouble.ts";
import { ensureWritable } from "../ensure-writable.ts";
import { addSumOfAmounts } from "../read/money.ts";
import { MIGRATIONS } from "./schema.ts";

/**
 * Opens the ledger's file, making it (and its folder, for the owner alone) when there is none, and brings an older one
 * up to date. A file that is not a ledger, is damaged, or comes from a newer version is reported and left as it is.
 * WAL with synchronous=FULL: a commit that returned survives a crash of the machine (about 0.1 ms each).
 * Throws ConfigFault LEDGER_UNWRITABLE, LEDGER_CORRUPT or LEDGER_TOO_NEW.
 */
export function openLedgerFile(file: string): DatabaseSync {
  if (file !== ":memory:") ensureWritable(file);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec("PRAGMA busy_timeout = 5000");
    const version = versionOf(db, file);
    if (version > MIGRATIONS.length) {
      throw new ConfigFault(
        "LEDGER_TOO_NEW",
        `The ledger ${file} was written by a newer microengine (version ${version}, this one knows ${MIGRATIONS.length}).`,
        { hint: "Run that version again, or choose another --data-dir." },
      );
    }
    refuseDamage(db, file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(db, version);
    addSumOfAmounts(db);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof ConfigFault) throw error;
    const words = describeError(error);
    if (isDiskTrouble(error)) {
      throw new ConfigFault("LEDGER_UNWRITABLE", `The ledger ${file} cannot be written: ${words}.`, {
        hint: "Make room on its disk, or end whatever else holds the file; it was left as it is.",
        cause: error,
      });
    }
    throw unusable(file, words, error);
  }
}

const unusable = (file: string, words: string, cause?: unknown): ConfigFault =>
  new ConfigFault("LEDGER_CORRUPT", `The ledger ${file} cannot be used: ${words}.`, {
    hint: "It was left untouched; restore a copy, or choose another --data-dir.",
    cause,
  });

/**
 * Reads every page once, a second for about 250,000 bounties: damage that is met later would be in the middle of a promise,
 * and by then more had been written on top of it.
 */
function refuseDamage(db: DatabaseSync, file: string): void {
  const { quick_check: found } = db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (found !== "ok") throw unusable(file, `it is damaged (${found})`);
}

function versionOf(db: DatabaseSync, file: string): number {
  const row = db.prepare("PRAGMA user_version").get() as { user_version: number };
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
  if (row.user_version === 0 && tables.n > 0) throw unusable(file, "it is a database of something else");
  return row.user_version;
}

function migrate(db: DatabaseSync, from: number): void {
  for (const [version, sql] of MIGRATIONS.entries()) {
    if (version < from) continue;
    db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}

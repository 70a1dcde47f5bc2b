import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { MIGRATIONS } from "./schema.ts";

/**
 * Opens a ledger to look at it, while its producer works or not: nothing is written, nothing is brought up to date.
 * Throws ConfigFault LEDGER_MISSING, LEDGER_VERSION or LEDGER_CORRUPT.
 */
export function openReadOnly(file: string): DatabaseSync {
  if (!existsSync(file)) {
    throw new ConfigFault("LEDGER_MISSING", `There is no ledger ${file}.`, {
      hint: "--data-dir (variable DATA_DIR) names the folder that the producer keeps it in.",
    });
  }
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true });
    db.exec("PRAGMA busy_timeout = 5000");
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version === MIGRATIONS.length) return db;
    throw new ConfigFault(
      "LEDGER_VERSION",
      `The ledger ${file} is of version ${version}, and this microengine reads version ${MIGRATIONS.length}.`,
      { hint: "A producer of this version brings an older ledger up to date when it starts." },
    );
  } catch (error) {
    db?.close();
    if (error instanceof ConfigFault) throw error;
    throw new ConfigFault("LEDGER_CORRUPT", `The ledger ${file} cannot be read: ${describeError(error)}.`, {
      cause: error,
    });
  }
}

import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigFault } from "../domain/fault.ts";

/**
 * Makes a file, and its folder, for the owner alone: the ledger knows what others would like to before it is revealed. What
 * is there keeps its owner and its mode. Throws ConfigFault LEDGER_UNWRITABLE when it cannot be written.
 */
export function ensureWritable(file: string): void {
  const folder = dirname(file);
  try {
    ensureFolder(folder);
    accessSync(folder, constants.W_OK);
    // Closing a file that is there would end this process's locks on it.
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    else closeSync(openSync(file, "a", 0o600));
  } catch (error) {
    const isFile = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false;
    const why = isFile ? "is a file" : "cannot be written to";
    throw new ConfigFault("LEDGER_UNWRITABLE", `The data directory ${folder} ${why}.`, {
      hint: "Choose another --data-dir (DATA_DIR), or change its owner.",
      cause: error,
    });
  }
}

/** Not `recursive`: on a file system that makes no folders and says ENOENT to it, as procfs does, that never ends. */
function ensureFolder(folder: string): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  const parent = dirname(folder);
  if (parent !== folder) ensureFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process made it at the same time.
    if (!isThere()) throw error;
  }
}

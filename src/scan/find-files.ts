/**
 * The files below the given paths, in a stable order.
 *
 * A given path is followed even if it is a symbolic link. Links inside a folder are passed over, and so is whatever is
 * neither a file nor a folder: a link within the folder leads to what is found under its own name, a link out of it to
 * what was not asked for. Paths are bytes, because names of hostile files need not be UTF-8.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { describeError } from "../domain/fault.ts";

export interface Found {
  readonly path: Buffer;
  /** Why there is nothing to scan at this path. */
  readonly problem?: string;
}

const SLASH = Buffer.from("/");

/** What names standard input; a file of that name is `./-`. */
export const STANDARD_INPUT = "-";

export async function* findFiles(named: string): AsyncGenerator<Found> {
  const path = Buffer.from(named);
  if (named === STANDARD_INPUT) return yield { path };
  try {
    const seen = await stat(path);
    if (seen.isDirectory()) return yield* filesBelow(path);
    yield seen.isFile() ? { path } : { path, problem: "It is neither a file nor a folder." };
  } catch (error) {
    yield { path, problem: describeError(error) };
  }
}

async function* filesBelow(folder: Buffer): AsyncGenerator<Found> {
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    yield { path: folder, problem: describeError(error) };
    return;
  }
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const path = Buffer.concat([folder, folder.at(-1) === SLASH[0] ? "" : SLASH, entry.name].map(bytesOf));
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield { path };
  }
}

const bytesOf = (part: Buffer | string): Buffer => (typeof part === "string" ? Buffer.from(part) : part);

/** The files that YARA rules are in, and whether they are still the same. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { foreignKindOf } from "./text/foreign-file.ts";

const RULE_FILE = /\.yara?$/i;

/**
 * The rule files at a path, sorted: the file itself whatever it is called, or those of a folder and the folders in it.
 * Links are followed. What begins with a dot is left out: version control, and the copies behind a mounted ConfigMap.
 */
export async function listRuleFiles(root: string): Promise<string[]> {
  if ((await stat(root)).isFile()) return [root];
  const found: string[] = [];
  const visited = new Set<string>();
  async function walk(folder: string): Promise<void> {
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    for (const name of (await readdir(folder)).toSorted()) {
      if (name.startsWith(".")) continue;
      const path = join(folder, name);
      const status = await stat(path).catch(() => undefined); // a link that leads nowhere
      if (status?.isDirectory()) await walk(path);
      else if (status?.isFile() && RULE_FILE.test(name)) found.push(path);
    }
  }
  await walk(root);
  return found;
}

/**
 * The text of a rule file, which the language wants in UTF-8; UTF-16 with its mark is read too. Throws a RangeError with
 * what it is instead, or with the line that is not UTF-8.
 */
export async function readRuleFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  const encoding = wideEncodingOf(bytes);
  if (encoding !== undefined) return lined(new TextDecoder(encoding).decode(bytes));
  const foreign = foreignKindOf(bytes);
  if (foreign !== undefined) throw new RangeError(`it is ${foreign}`);
  const text = bytes.toString("utf8");
  const broken = text.indexOf("\ufffd");
  if (broken !== -1 && !Buffer.from(text).equals(bytes)) {
    const line = text.slice(0, broken).split("\n").length;
    throw new RangeError(`line ${line} is not UTF-8; save the file as UTF-8`);
  }
  return lined(text.replace(/^\ufeff/, ""));
}

const lined = (text: string): string => text.replaceAll("\r\n", "\n");

function wideEncodingOf(bytes: Buffer): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

/**
 * A text that changes whenever a rule file at the path, or one of `others`, comes, goes or is written.
 * Never rejects: a path that cannot be read has its own.
 */
export async function stampOf(root: string, others: readonly string[]): Promise<string> {
  const listed = await listRuleFiles(root).catch(() => []);
  const stamps: string[] = [];
  for (const path of new Set([...listed, ...others])) {
    const status = await stat(path).catch(() => undefined);
    stamps.push(
      status === undefined ? `${path} -` : `${path} ${status.ino} ${status.size} ${status.mtimeMs}`,
    );
  }
  return stamps.join("\n");
}

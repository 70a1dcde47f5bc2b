/** The files that YARA rules are in, and whether they are still the same. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

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

/** Throws a RangeError that names the line when it is not UTF-8, as the language wants it. */
export async function readRuleFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  const text = bytes.toString("utf8");
  const broken = text.indexOf("\ufffd");
  if (broken !== -1 && !Buffer.from(text).equals(bytes)) {
    throw new RangeError(`line ${text.slice(0, broken).split("\n").length} is not UTF-8`);
  }
  return text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
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

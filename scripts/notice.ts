/**
 * Writes NOTICE: every package that is installed with microengine, and its licence, from the lock file. `npm run notice` after a
 * dependency was added or updated; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface Locked {
  /** Where it is installed under another name than its own. */
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  /** Not installed with the package, only in a clone. */
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export type LockFile = { readonly packages: Readonly<Record<string, Locked>> };

const HEAD = `microengine

No licence is granted for microengine itself: whether and how it may be used by others is its owner's to say, and the
owner has not said it yet ("license": "UNLICENSED" in package.json).

It is installed with the packages below, each under the licence of its own authors. The full texts come with the packages,
in node_modules. None of them is changed or copied into microengine. Packages of other platforms than yours are listed, too.
`;

/** `readManifest` gives the manifest of an installed package by its path in the lock file, if it is installed. */
export function noticeOf(lock: LockFile, readManifest: (path: string) => unknown): string {
  const packages = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  const lines = new Map<string, Set<string>>();
  for (const [path, { name = nameOf(path), version = "" }] of packages) {
    const licence = licenceOf(path, lock, readManifest);
    const known = lines.get(licence) ?? new Set();
    lines.set(licence, known.add(`${name} ${version}`));
  }
  const sections = [...lines].toSorted(([a], [b]) => compare(a, b));
  return [HEAD, ...sections.map(([licence, names]) => section(licence, [...names]))].join("\n");
}

const section = (licence: string, names: readonly string[]): string =>
  `${licence} (${names.length})\n${names
    .toSorted(compare)
    .map((name) => `  ${name}\n`)
    .join("")}`;

/** The same on every machine, whatever its language. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

function licenceOf(path: string, lock: LockFile, readManifest: (path: string) => unknown): string {
  const { license } = lock.packages[path] ?? {};
  if (license !== undefined) return license;
  // The part for a platform has the licence of the package that it is a part of.
  const whole = Object.entries(lock.packages).find(([, { optionalDependencies = {} }]) =>
    Object.hasOwn(optionalDependencies, nameOf(path)),
  );
  if (whole !== undefined && whole[0] !== "") return licenceOf(whole[0], lock, readManifest);
  // An older way to say it.
  const { licenses } = (readManifest(path) ?? {}) as { readonly licenses?: readonly { type?: string }[] };
  return licenses?.map(({ type }) => type).join(" OR ") ?? "unknown";
}

export function currentNotice(): string {
  const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
  const readJson = (path: string): unknown => JSON.parse(readFileSync(at(path), "utf8"));
  return noticeOf(readJson("package-lock.json") as LockFile, (path) => readJson(`${path}/package.json`));
}

if (import.meta.main) writeFileSync(new URL("../NOTICE", import.meta.url), currentNotice());

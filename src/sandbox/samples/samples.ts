import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { tarOf, zipOf } from "./archives.ts";

/**
 * The EICAR test string, which every scanner takes for malware and which is harmless. In two halves, so that no
 * scanner takes this file for it.
 */
export const EICAR = Buffer.from(
  ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].join(""),
  "ascii",
);

/** Programs that most machines have; those that exist and are small enough are taken. */
const PROGRAMS = ["ls", "cat", "true", "sleep", "date", "mkdir", "echo", "pwd", "chmod", "cp"];
const PROGRAM_FOLDERS = ["/bin", "/usr/bin"];
const MAX_PROGRAM_BYTES = 2 * 1024 * 1024;

interface Sample {
  readonly name: string;
  readonly content: Uint8Array;
  /** Whether it carries the EICAR test string. */
  readonly malicious: boolean;
}

interface Specimen {
  readonly name: string;
  /** The content with `payload` in it; the payload is empty for a benign one. */
  readonly with: (payload: Buffer) => Buffer;
}

const NOTHING = Buffer.alloc(0);
const text = (content: string): Buffer => Buffer.from(content, "utf8");
const appended = (name: string, content: Uint8Array): Specimen => ({
  name,
  with: (payload) => Buffer.concat([content, payload]),
});

const README = text("Minutes of the meeting.\nNobody came, so nothing was decided.\n");
const SCRIPT = text('#!/bin/sh\nset -eu\nfor file in *; do\n  echo "$file"\ndone\n# ');

/** What the machine cannot fail to have, because it is made here. */
const MADE: readonly Specimen[] = [
  appended("list.sh", SCRIPT),
  appended("count.py", text("#!/usr/bin/env python3\nimport sys\nprint(len(sys.stdin.read()))\n# ")),
  appended("minutes.txt", README),
  appended("page.html", text("<!doctype html>\n<title>Page</title>\n<p>A page without a purpose.</p>\n")),
  appended("install.js", text("#!/usr/bin/env node\nconsole.log(process.argv.length);\n// ")),
  appended("log.gz", gzipSync(README)),
  { name: "mail.zip", with: (payload) => zipOf([entry("a.txt", README), entry("b.com", payload)]) },
  { name: "backup.tar", with: (payload) => tarOf([entry("a.txt", README), entry("b.com", payload)]) },
  { name: "tools.zip", with: (payload) => zipOf([entry("run.sh", SCRIPT), entry("x.bin", payload)]) },
  {
    name: "bundle.tar.gz",
    with: (payload) => Buffer.concat([gzipSync(tarOf([entry("a", SCRIPT)])), payload]),
  },
];

const entry = (name: string, content: Uint8Array) => ({ name, content });

/**
 * Real files: this machine's programs, and scripts, texts and archives made here. Each specimen is taken twice, once as
 * it is and once with the EICAR test string in it, so that half of the samples are malicious.
 */
export async function collectSamples(): Promise<readonly Sample[]> {
  const specimens = [...(await installedPrograms()), ...MADE];
  return specimens.flatMap((specimen) => [
    { name: specimen.name, content: specimen.with(NOTHING), malicious: false },
    { name: specimen.name, content: specimen.with(EICAR), malicious: true },
  ]);
}

/** Writes the samples into `malicious/` and `benign/` of a folder, which is made when it is not there. */
async function writeSamples(folder: string): Promise<void> {
  const samples = await collectSamples();
  for (const kind of ["malicious", "benign"]) await mkdir(join(folder, kind), { recursive: true });
  await Promise.all(
    samples.map(({ name, content, malicious }) =>
      writeFile(join(folder, malicious ? "malicious" : "benign", name), content),
    ),
  );
}

interface SampleFolder extends AsyncDisposable {
  readonly path: string;
}

/** A temporary folder of samples, gone when disposed of. */
export async function makeSampleFolder(): Promise<SampleFolder> {
  const path = await mkdtemp(join(tmpdir(), "microengine-samples-"));
  await writeSamples(path);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function installedPrograms(): Promise<Specimen[]> {
  const found = await Promise.all(PROGRAMS.map(readProgram));
  return found.filter((specimen) => specimen !== undefined);
}

async function readProgram(name: string): Promise<Specimen | undefined> {
  for (const folder of PROGRAM_FOLDERS) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || !info.isFile() || info.size > MAX_PROGRAM_BYTES) continue;
    const content = await readFile(path).catch(() => undefined);
    if (content !== undefined) return appended(name, content);
  }
  return undefined;
}

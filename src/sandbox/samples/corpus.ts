import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import type { ArtifactKind } from "../../domain/artifact.ts";
import { ConfigFault } from "../../domain/fault.ts";

/** Something to scan whose truth is known. */
export interface Specimen {
  readonly kind: ArtifactKind;
  readonly malicious: boolean;
  readonly name: string;
  /** The file's bytes, or the URL as UTF-8. */
  read(): Promise<Uint8Array>;
}

type TrueVerdict = "malicious" | "benign";

/**
 * Reads a folder of known truth: files under `malicious/` and `benign/`, and optionally lists of URLs, one per line, in
 * `urls/malicious/*.txt` and `urls/benign/*.txt`. Always in the same order. Throws ConfigFault when it holds no file.
 */
export async function readCorpus(folder: string): Promise<readonly Specimen[]> {
  const [bad, good, badUrls, goodUrls] = await Promise.all([
    fileSpecimens(join(folder, "malicious"), "malicious"),
    fileSpecimens(join(folder, "benign"), "benign"),
    urlSpecimens(join(folder, "urls", "malicious"), "malicious"),
    urlSpecimens(join(folder, "urls", "benign"), "benign"),
  ]);
  const corpus = [...bad, ...good, ...badUrls, ...goodUrls];
  if (corpus.length === 0) {
    throw new ConfigFault("CORPUS_EMPTY", `The artifacts folder ${folder} holds nothing to post.`, {
      hint: "Put files into its folders malicious/ and benign/.",
    });
  }
  return corpus;
}

async function fileSpecimens(folder: string, truth: TrueVerdict): Promise<Specimen[]> {
  return (await filesBelow(folder)).map((path) => ({
    kind: "file",
    malicious: truth === "malicious",
    name: basename(path),
    read: () => readFile(path),
  }));
}

async function urlSpecimens(folder: string, truth: TrueVerdict): Promise<Specimen[]> {
  const lists = (await filesBelow(folder)).filter((path) => path.endsWith(".txt"));
  const texts = await Promise.all(lists.map((path) => readFile(path, "utf8")));
  const urls = texts.flatMap((text) => text.split(/\r?\n/)).map((line) => line.trim());
  return urls.filter((url) => URL.canParse(url)).map((url) => urlSpecimen(url, truth));
}

export const urlSpecimen = (url: string, truth: TrueVerdict): Specimen => ({
  kind: "url",
  malicious: truth === "malicious",
  name: url,
  read: async () => Buffer.from(url, "utf8"),
});

/** Every regular file below the folder, sorted by path; none when there is no such folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [] as Dirent[];
    throw new ConfigFault("CORPUS_UNREADABLE", `Cannot read the artifacts folder ${folder}.`, {
      cause: error,
    });
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readCorpus } from "../../src/sandbox/samples/corpus.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "corpus-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

describe("a folder of known truth", () => {
  it("is read at any depth, files and lists of URLs, in an order that does not change", async () => {
    await put("benign/b.txt", "b");
    await put("malicious/deep/er/x.exe", "x");
    await put("malicious/a.exe", "a");
    await put("urls/malicious/list.txt", "https://one.example/\r\n\nnot a url\nhttps://two.example/?q=1\n");
    await put("urls/benign/list.txt", "https://fine.example/");
    await put("urls/benign/notes.md", "https://ignored.example/");
    await put("elsewhere.txt", "ignored");
    const corpus = await readCorpus(folder);
    expect(corpus.map(({ kind, malicious, name }) => [kind, malicious, name])).toEqual([
      ["file", true, "a.exe"],
      ["file", true, "x.exe"],
      ["file", false, "b.txt"],
      ["url", true, "https://one.example/"],
      ["url", true, "https://two.example/?q=1"],
      ["url", false, "https://fine.example/"],
    ]);
    const contents = await Promise.all(corpus.map((specimen) => specimen.read()));
    expect(contents.map((content) => Buffer.from(content).toString())).toEqual([
      ...["a", "x", "b", "https://one.example/", "https://two.example/?q=1", "https://fine.example/"],
    ]);
  });

  it("is refused when it holds nothing to post", async () => {
    await put("malware/a.exe", "in a folder of another name");
    await expect(readCorpus(folder)).rejects.toMatchObject({ name: "ConfigFault", code: "CORPUS_EMPTY" });
  });
});

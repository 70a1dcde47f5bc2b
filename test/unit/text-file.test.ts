import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPassword } from "../../src/config/commands/password.ts";
import { readTriageRules } from "../../src/config/commands/triage-rules.ts";
import { readQueueSecret } from "../../src/config/values/queue-secret.ts";
import { readTextFile, withoutLineBreak } from "../../src/files/text-file.ts";
import { loadContracts } from "../../src/sandbox/chain/contracts.ts";
import { scanner } from "../../src/scanners/described/described.ts";
import { createKeystore, openKeystore } from "../../src/wallet/keystore.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "microengine-text-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The ways in which editors and shells of today's systems write text. */
const WRITERS: Readonly<Record<string, (text: string) => Buffer>> = {
  "UTF-8": (text) => Buffer.from(text),
  "UTF-8 with a byte order mark": (text) => Buffer.from(`\ufeff${text}`),
  "UTF-16 LE with a byte order mark": (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  "UTF-16 BE with a byte order mark": (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
  "UTF-16 LE without a mark": (text) => Buffer.from(text, "utf16le"),
  "UTF-16 BE without a mark": (text) => Buffer.from(text, "utf16le").swap16(),
};
const writers = Object.entries(WRITERS);

async function file(content: Uint8Array | string): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, content);
  return path;
}

const nobody = { input: process.stdin, output: process.stderr };
const lines = (value: unknown): string =>
  `${JSON.stringify(value, undefined, 2).replaceAll("\n", "\r\n")}\r\n`;

describe.each(writers)("a text file in %s", (_name, write) => {
  it("is a keyfile, with a password file of the same kind", async () => {
    const keystore = await createKeystore(Buffer.alloc(32, 7), "correct horse", { n: 1024 });
    const passwordFile = await file(write("correct horse\r\n"));
    const password = await readPassword({ keyfile: "k", passwordFile }, nobody);
    const { privateKey } = await openKeystore(await file(write(lines(keystore))), password);
    expect(Buffer.from(privateKey)).toEqual(Buffer.alloc(32, 7));
  });

  it("holds the same secret of the queue as any other", async () => {
    const queueSecretFile = await file(write("abcdefghijklmnopqrstuv\r\n"));
    expect(await readQueueSecret({ queueSecretFile })).toBe("abcdefghijklmnopqrstuv");
  });

  it("holds triage rules", async () => {
    const routes = [{ types: ["text/*"], backends: ["eicar"] }];
    const triage = await file(write(lines({ routes })));
    const config = { triage, artifactType: ["file"] as const, maxArtifactSize: 1, benign: [] };
    expect(await readTriageRules(config, [{ name: "eicar", accepts: {} }])).toMatchObject({ routes });
  });

  it("describes a program or a service as a backend", async () => {
    const exec = { type: "exec", name: "tool", version: "1.0.0", command: ["true"], exitCodes: {} };
    const http = { type: "http", name: "service", version: "1.0.0", url: "http://127.0.0.1:1/" };
    expect((await scanner({ file: await file(write(lines(exec))) })).name).toBe("tool");
    expect((await scanner({ file: await file(write(lines(http))) })).name).toBe("service");
  });

  it("may hold contracts", async () => {
    const contracts = await mkdtemp(join(folder, "contracts-"));
    await writeFile(join(contracts, "BountyRegistry.json"), write(lines({ abi: 1 })));
    // Understood, and found wanting: a file that is no JSON is told otherwise.
    await expect(loadContracts(contracts)).rejects.toMatchObject({
      code: expect.not.stringMatching("UNREADABLE"),
    });
  });
});

describe("the reader of text files", () => {
  it("gives any text back that any of the writers wrote", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((it) => !/^\ufeff|\0/.test(it));
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom(...writers.slice(0, 4)), async (written, [, write]) => {
        expect(await readTextFile(await file(write(written)), 65_536)).toBe(written);
      }),
      { numRuns: 60 },
    );
  });

  it("takes an empty file for an empty text, and one line break at most for the end of a line", async () => {
    expect(await readTextFile(await file(""), 10)).toBe("");
    expect(await readTextFile(await file("\ufeff"), 10)).toBe("");
    expect(["a\r\n", "a\n", "a\r", "a", "a\n\n"].map(withoutLineBreak)).toEqual(["a", "a", "a", "a", "a\n"]);
  });

  it("opens the keystore that was made without a password, and says so of one that was not", async () => {
    const open = await file(JSON.stringify(await createKeystore(Buffer.alloc(32, 7), "", { n: 1024 })));
    const shut = await file(JSON.stringify(await createKeystore(Buffer.alloc(32, 7), "x", { n: 1024 })));
    const password = await readPassword({ keyfile: "k", passwordFile: await file("\n") }, nobody);
    expect(await openKeystore(open, password)).toMatchObject({ address: expect.stringMatching(/^0x/) });
    await expect(openKeystore(shut, password)).rejects.toThrow(/^The empty password does not open/);
  });

  it("takes no empty secret of the queue, and no empty keyfile or triage file", async () => {
    const path = await file("\ufeff\r\n");
    await expect(readQueueSecret({ queueSecretFile: path })).rejects.toThrow("is empty");
    await expect(openKeystore(path, "x")).rejects.toThrow(/is empty/);
    const config = { triage: path, artifactType: ["file"] as const, maxArtifactSize: 1, benign: [] };
    await expect(readTriageRules(config, [])).rejects.toThrow(/is empty/);
  });

  it.each([
    ["in a code page of Windows", Buffer.from("p\xe4ssword", "latin1")],
    ["in UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ["with NUL characters", Buffer.from("a\0b\0c\0\0")],
    ["of half a character", Buffer.from("\ufeffab", "utf16le").subarray(0, 5)],
  ])("guesses nothing of a file %s", async (_what, content) => {
    await expect(readTextFile(await file(content), 100)).rejects.toThrow(/is no text in UTF-8 or UTF-16/);
  });

  it("reads no more than it may hold, however long the file is", async () => {
    expect(await readTextFile(await file("0123456789"), 10)).toBe("0123456789");
    await expect(readTextFile(await file("0123456789a"), 10)).rejects.toMatchObject({ problem: "too-large" });
    await expect(readTextFile("/dev/zero", 65_536)).rejects.toMatchObject({ problem: "too-large" });
    for (const read of [
      () => readQueueSecret({ queueSecretFile: "/dev/zero" }),
      () => readPassword({ keyfile: "k", passwordFile: "/dev/zero" }, nobody),
      () => scanner({ file: "/dev/zero" }),
    ])
      await expect(read()).rejects.toThrow(/is larger than the \d+ bytes/);
  });

  it("reads what a shell hands over as a pipe", async () => {
    const pipe = join(folder, "pipe");
    await promisify(execFile)("mkfifo", [pipe]);
    const [text] = await Promise.all([readTextFile(pipe, 100), writeFile(pipe, "secret\n")]);
    expect(text).toBe("secret\n");
  });

  it("says in words why there is nothing to read", async () => {
    await expect(readTextFile(join(folder, "nowhere"), 1)).rejects.toThrow(/^there is no file .*nowhere$/);
    await expect(readTextFile(folder, 1)).rejects.toThrow(/is a directory$/);
  });
});

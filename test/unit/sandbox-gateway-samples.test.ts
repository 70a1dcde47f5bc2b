import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fileTypeFromBuffer } from "file-type";
import { describe, expect, it } from "vitest";
import { utils } from "web3";
import { tarOf, zipOf } from "../../src/sandbox/samples/archives.ts";
import { collectSamples, EICAR, makeSampleFolder } from "../../src/sandbox/samples/samples.ts";
import { openWalletDir } from "../../src/sandbox/wallet-dir.ts";

describe("samples", () => {
  it("are malicious by half, exactly those that carry the test string, and of many kinds", async () => {
    const samples = await collectSamples();
    expect(samples.length).toBeGreaterThanOrEqual(20);
    expect(samples.filter(({ malicious }) => malicious)).toHaveLength(samples.length / 2);
    for (const { name, content, malicious } of samples) {
      expect(Buffer.from(content).includes(EICAR), name).toBe(malicious);
    }
    const types = await Promise.all(samples.map(({ content }) => fileTypeFromBuffer(content)));
    expect(new Set(types.map((type) => type?.mime))).toEqual(
      new Set([undefined, "application/x-elf", "application/gzip", "application/zip", "application/x-tar"]),
    );
  });

  it("lie in malicious and benign until the folder is disposed of", async () => {
    const folder = await makeSampleFolder();
    expect((await readdir(folder.path)).toSorted()).toEqual(["benign", "malicious"]);
    const script = await readFile(join(folder.path, "malicious", "list.sh"));
    expect(script.subarray(-EICAR.length).equals(EICAR)).toBe(true);
    await folder[Symbol.asyncDispose]();
    await expect(stat(folder.path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("never show the test string in the sources", async () => {
    const source = await readFile(new URL("../../src/sandbox/samples/samples.ts", import.meta.url));
    expect(source.includes(EICAR)).toBe(false);
    expect(EICAR).toHaveLength(68);
  });
});

describe("archives", () => {
  const entries = [
    { name: "a.txt", content: Buffer.from("alpha") },
    { name: "empty", content: Buffer.alloc(0) },
    { name: "b.bin", content: Buffer.alloc(1000, 7) },
  ];

  it("made as tar are read by tar", () => {
    const options = { input: tarOf(entries), maxBuffer: 1 << 20 };
    expect(execFileSync("tar", ["-tf", "-"], options).toString().trim().split("\n")).toEqual([
      "a.txt",
      "empty",
      "b.bin",
    ]);
    expect(execFileSync("tar", ["-xOf", "-", "b.bin"], options).equals(entries[2]!.content)).toBe(true);
  });

  it("made as zip hold their entries as they are, under a directory that points at them", () => {
    const zip = zipOf(entries);
    const end = zip.length - 22;
    expect(zip.readUInt32LE(end)).toBe(0x06054b50);
    expect(zip.readUInt16LE(end + 10)).toBe(3);
    let at = zip.readUInt32LE(end + 16);
    for (const { name, content } of entries) {
      expect(zip.readUInt32LE(at)).toBe(0x02014b50);
      const local = zip.readUInt32LE(at + 42);
      expect(zip.readUInt32LE(local)).toBe(0x04034b50);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      expect(zip.toString("ascii", local + 30, start)).toBe(name);
      expect(zip.subarray(start, start + zip.readUInt32LE(local + 18)).equals(content)).toBe(true);
      at += 46 + name.length;
    }
    expect(at).toBe(end);
  });

  it("with something behind them are still what they were", async () => {
    const samples = await collectSamples();
    const log = samples.find(({ name, malicious }) => name === "log.gz" && !malicious)!;
    expect(gunzipSync(log.content).toString()).toMatch(/^Minutes/);
  });
});

describe("a wallet folder", () => {
  it("gives its account checksummed, when it is new and when it is there already", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sandbox-gateway-"));
    const account = await openWalletDir(folder);
    expect(account).toBe(utils.toChecksumAddress(account));
    expect(await openWalletDir(folder)).toBe(account);
    await rm(folder, { recursive: true });
  });

  it("that holds something else than a keystore is refused and left alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sandbox-gateway-"));
    await writeFile(join(folder, "keyfile"), "not JSON");
    await expect(openWalletDir(folder)).rejects.toMatchObject({ code: "KEYFILE_MALFORMED" });
    expect(await readFile(join(folder, "keyfile"), "utf8")).toBe("not JSON");
    await expect(openWalletDir(join(folder, "keyfile", "below"))).rejects.toMatchObject({
      code: "WALLET_DIR_UNWRITABLE",
    });
    await rm(folder, { recursive: true });
  });
});

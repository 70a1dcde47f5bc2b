import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readEncryptions } from "../../src/triage/locks/pdf-encryption.ts";
import { lookInside } from "../../src/triage/look-inside.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const found = async (content: Uint8Array): Promise<string | undefined> => (await lookInside(content))?.kind;
const inFile = (path: string): Promise<string | undefined> => found(readFileSync(new URL(path, FIXTURES)));

describe("a PDF", () => {
  it("that opens without a password is seen through", async () => {
    expect(await inFile("cases/f26-owner-password-pdf/ownerpw.pdf")).toBeUndefined();
  });

  it.each(readdirSync(new URL("pdf/", FIXTURES)))(
    "is under a password if readers ask for one: %s",
    async (name) => {
      expect(await inFile(`pdf/${name}`)).toBe(name.includes("-user") ? "encrypted" : undefined);
    },
  );

  it.each([
    ["another handler", "1 0 obj\n<< /Filter /Adobe.PubSec /V 4 >>\nendobj\ntrailer << /Encrypt 1 0 R >>"],
    ["none that is there", "trailer << /Encrypt 9 0 R >>"],
    ["a name written in numbers", "trailer << /#45ncrypt 9 0 R >>"],
    [
      "a revision that is not known",
      "trailer << /Encrypt << /Filter /Standard /R 9 /O (a) /U (b) /P 1 >> >>",
    ],
  ])("counts as under a password with %s", async (_, text) => {
    expect(await found(Buffer.from(`%PDF-1.7\n${text}\n%%EOF`))).toBe("encrypted");
  });

  it("is under a password if any of its encryptions is", async () => {
    const open = readFileSync(new URL("pdf/r6-owner.pdf", FIXTURES));
    const both = Buffer.concat([open, Buffer.from("\ntrailer << /Encrypt 99 0 R >>\n%%EOF")]);
    expect(await found(both)).toBe("encrypted");
  });

  it("is not read without an end for all that it says of encryption", () => {
    expect(readEncryptions("%PDF-1.7 ".concat("/Encrypt 1 0 R ".repeat(100_000)))).toEqual(["unreadable"]);
    const many = Array.from({ length: 100 }, (_, at) => `/Encrypt ${at} 0 R`).join("\n");
    expect(readEncryptions(many)).toEqual(["unreadable"]);
  });
});

/** Headers as their formats lay them out, with nothing in them. */
const ace = (flags: number): Buffer => {
  const main = Buffer.from(`0000${"1f00"}0000${"00"}2a2a4143452a2a`.padEnd(70, "0"), "hex");
  const file = Buffer.alloc(31);
  file.writeUInt16LE(27, 2);
  file[4] = 1;
  file.writeUInt16LE(flags, 5);
  return Buffer.concat([main, file]);
};
const alz = (descriptor: number): Buffer => {
  const file = Buffer.alloc(40);
  file.write("BLZ\x01", "latin1");
  file.writeUInt16LE(1, 4);
  file[11] = descriptor;
  return Buffer.concat([Buffer.from("ALZ\x01\x0a\0\0\0", "latin1"), file]);
};
const egg = (...fields: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from("EGGA\0\x01\0\0\0\0\0\0\0\0", "latin1"),
    ...fields.map((hex) => Buffer.from(hex, "hex")),
  ]);

describe("an archive under a password", () => {
  it.each([
    ["archives/aes.zip", "encrypted"],
    ["archives/zipcrypto.zip", "encrypted"],
    ["archives/content.7z", "encrypted"],
    ["archives/names.7z", "encrypted"],
    ["archives/password.arj", "encrypted"],
    ["archives/plain.7z", undefined],
    ["archives/plain.arj", undefined],
  ])("is seen by its headers: %s", async (path, kind) => {
    expect(await inFile(path)).toBe(kind);
  });

  it.each([
    ["ACE", ace(0x4001), "encrypted"],
    ["ACE without", ace(0), undefined],
    ["ALZ", alz(0x11), "encrypted"],
    ["ALZ without", alz(0x10), undefined],
    ["EGG", egg("e390850a0000000000000000000000000f47d10800"), "encrypted"],
    ["EGG without", egg("e390850a000000000000000000000000", "2282e208"), undefined],
    ["disk image of Apple", Buffer.from("encrcdsa\0\0\0\x02", "latin1"), "encrypted"],
  ])("is seen in the layout of its format: %s", async (_, content, kind) => {
    expect(await found(content)).toBe(kind);
  });

  it("ends within its headers when it is cut off there", async () => {
    const whole = readFileSync(new URL("archives/plain.arj", FIXTURES));
    expect(await found(whole.subarray(0, 60))).toBe("truncated");
  });

  it("is walked along no further than there may be entries", async () => {
    const many = egg("010101010000000000".slice(0, 14).repeat(60_000));
    expect(await found(many)).toBe("too-many-entries");
  });
});

describe("a text that begins like a program", () => {
  it("is not cut off for that", async () => {
    expect(await inFile("cases/f25-short-magic/text-mz.txt")).toBeUndefined();
  });
});

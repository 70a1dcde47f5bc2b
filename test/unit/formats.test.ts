import { readdirSync, readFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { matchesType } from "../../src/domain/media-type.ts";
import { detectTypes, TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";
import { makeOle, makeTar } from "../fixtures/hostile/make-file.ts";
import { makeZip } from "../fixtures/hostile/make-zip.ts";
import { makeDisc, makeDmg, makeRawDisc } from "../fixtures/make-image.ts";

const typesOf = (content: Uint8Array): Promise<readonly string[]> => detectTypes(content, "file", "whole");
const fixture = (path: string): Buffer => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));
const latin1 = (text: string, bytes = 0): Buffer =>
  Buffer.concat([
    Buffer.from(text, "latin1"),
    Buffer.alloc(Math.max(0, bytes - text.length), "\x81\0", "latin1"),
  ]);
const at = (offset: number, text: string, fill = 0): Buffer =>
  Buffer.concat([Buffer.alloc(offset, fill), latin1(text), Buffer.alloc(600, fill)]);

const ISO = "application/x-iso9660-image";
const UDF = "application/x-udf-image";

describe("images of discs and disks", () => {
  it.each([
    ["an ISO 9660", makeDisc(["CD001", "CD001"]), [ISO]],
    ["one that begins with a boot sector", makeDisc(["CD001"], latin1("\xfa\x33\xc0", 512)), [ISO]],
    ["one with a second file system", makeDisc(["CD001", "CD001", "BEA01", "NSR02", "TEA01"]), [ISO, UDF]],
    ["a UDF alone", makeDisc(["BEA01", "NSR03", "TEA01"]), [UDF]],
    ["one as a drive reads it", makeRawDisc(["CD001"]), [ISO]],
    [
      "a program that is a disc",
      makeDisc(["CD001"], Buffer.from("7f454c4602010100", "hex")),
      [ISO, "application/x-elf"],
    ],
    [
      "a disc that begins with a text",
      makeDisc(["CD001"], latin1("A text. ".repeat(4096))),
      [ISO, "text/plain"],
    ],
    ["a disk image of Apple", makeDmg(20_000), ["application/x-apple-diskimage"]],
    ["an encrypted one", latin1("encrcdsa\0\0\0\x02", 600), ["application/x-apple-diskimage"]],
    ["a VHDX", latin1("vhdxfile", 600), ["application/x-virtualbox-vhdx"]],
    ["a VHD that grows", latin1("conectix\0\0\0\x02", 600), ["application/x-virtualbox-vhd"]],
    [
      "a VHD of fixed size",
      Buffer.concat([Buffer.alloc(20_000), latin1("conectix", 512)]),
      ["application/x-virtualbox-vhd"],
    ],
    ["a VMDK", latin1("KDMV\x01\0\0\0", 600), ["application/x-virtualbox-vmdk"]],
    [
      "what describes a VMDK in words",
      Buffer.from("# Disk DescriptorFile\nversion=1\n"),
      ["application/x-virtualbox-vmdk", "text/plain"],
    ],
    ["a QED", latin1("QED\0\0\0\x01\0", 600), ["application/x-qemu-disk"]],
    ["a sparse disk image of Apple", latin1("sprs\0\0\0\x03", 600), ["application/x-apple-diskimage"]],
    ["a squashfs", latin1("hsqs\x07\0\0\0", 600), ["application/vnd.squashfs"]],
    ["a WIM", latin1("MSWIM\0\0\0\xd0", 600), ["application/x-ms-wim"]],
    ["a disk with a partition table", at(512, "EFI PART", 0), ["application/x-raw-disk-image"]],
  ])("are known by their marks: %s", async (_, content, types) => {
    expect(await typesOf(content)).toEqual(types);
  });

  it("are not known from the head alone, nor from marks in the wrong place", async () => {
    const disc = makeDisc(["CD001"]);
    expect(await detectTypes(disc.subarray(0, TRIAGE_HEAD_BYTES), "file", "beginning")).toEqual([
      "application/octet-stream",
    ]);
    expect(await typesOf(at(32_768, "CD001"))).toEqual(["application/octet-stream"]);
    expect(await typesOf(at(20_000, "koly\0\0\0\x04", 0))).toEqual(["application/octet-stream"]);
  });
});

describe("mail", () => {
  it.each(readdirSync(new URL("../fixtures/cases/f05-eml/", import.meta.url)))(
    "is a mail whatever header is first: %s",
    async (name) => {
      expect(await typesOf(fixture(`cases/f05-eml/${name}`))).toEqual(["message/rfc822", "text/plain"]);
    },
  );

  it.each([
    ["Thread-Topic: x\r\nFrom: a@a.example\r\nTo: b@a.example\r\n\r\nhi"],
    ["List-Id: x\nX-Spam: no\nSubject: y\n\nhi"],
    ["From a@a.example Mon Jan  1 00:00:00 2024\nX-Y: z\nSubject: a\n\nhi"],
    ["\r\nReceived: from a\r\n by b\r\nSubject: x\r\n\r\nhi"],
    ["From:a@a.example\nTo:b@a.example\nSubject:no blanks\n\nhi"],
    ["From : a@a.example\nTo : b@a.example\n\nhi"],
    ["  \r\n\t\r\nFrom: a@a.example\r\n\r\nhi"],
    ["\ufeffFrom: a@a.example\nSubject: x\n\nhi"],
    ["Content-Type: multipart/mixed; boundary=x\n\n--x\n"],
    [
      `ARC-Seal: i=1;${"\r\n\tb=abcdefghijklmnopqrstuvwxyz".repeat(100)}\r\nFrom: a@a.example\r\nTo: b@a.example\r\n\r\nhi`,
    ],
  ])("is a mail in other orders too: %j", async (text) => {
    expect(await typesOf(Buffer.from(text))).toContain("message/rfc822");
  });

  it.each([
    ["Date: 2024-01-01\nLog of the day.\n"],
    ["Subject: a line\nand then a text that is no mail at all\n"],
    ["Package: a\nVersion: 1\nDescription: b\n more\n"],
    ["note: one\nanother: two\n"],
    ["To: do\n- wash\n- cook\n"],
    ["name: a\nversion: 1\nfrom: docker\n"],
    ["Subject: Chemistry\n"],
    ["Content-Type: text/plain\n"],
  ])("is not seen in other texts with colons: %j", async (text) => {
    expect(await typesOf(Buffer.from(text))).not.toContain("message/rfc822");
  });
});

describe("documents", () => {
  it.each([["{\\rt{\\*\\x}{\\object\\objdata 0105}}"], ["{\\rtf1 hello}"], ["\r\n{\\rtx hello}"]])(
    "in rich text begin as Word takes it: %j",
    async (text) => {
      expect(await typesOf(Buffer.from(text))).toEqual(["application/rtf", "text/plain"]);
    },
  );

  it("in rich text may have bytes that no text has", async () => {
    expect(await typesOf(Buffer.from("{\\rt\0\x01\x02 hello", "latin1"))).toEqual(["application/rtf"]);
  });

  const XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12";
  it("in Excel's binary records are no sheets of XML", async () => {
    expect(await typesOf(fixture("cases/f08-xlsb/binary.xlsb"))).toEqual([XLSB, "application/zip"]);
  });

  it("in Excel's binary records are known before what says so, and without it", async () => {
    const rest = { name: "xl/worksheets/sheet1.bin", content: "x".repeat(40_000) };
    const workbook = makeZip([{ name: "xl/workbook.bin", content: "x" }, rest]);
    expect(await typesOf(workbook)).toEqual([XLSB, "application/zip"]);
    expect(await detectTypes(workbook.subarray(0, 200), "file", "beginning")).toEqual([
      XLSB,
      "application/zip",
    ]);
  });

  const partOf = (type: string): string => `<Types><Override PartName="/a" ContentType="${type}"/></Types>`;
  it.each([
    ["application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xl/workbook.bin", XLSB],
    [
      "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
      "word/document.xml",
      "application/vnd.ms-word.template.macroenabled.12",
    ],
    [
      "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
      "word/document.xml",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    ],
    [
      "application/vnd.ms-excel.addin.macroEnabled.main+xml",
      "xl/workbook.xml",
      "application/vnd.ms-excel.addin.macroenabled.12",
    ],
    [
      "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
      "ppt/presentation.xml",
      "application/vnd.ms-powerpoint.slideshow.macroenabled.12",
    ],
  ])("are what their main part says, in the head and in the whole: %s", async (part, main, type) => {
    const document = makeZip([
      { name: "[Content_Types].xml", content: partOf(part) },
      { name: main, content: "x" },
    ]);
    expect(await typesOf(document)).toEqual(expect.arrayContaining([type, "application/zip"]));
    expect(await detectTypes(document.subarray(0, document.length - 30), "file", "beginning")).toContain(
      type,
    );
  });

  it("of Outlook are mailboxes without being OLE documents", async () => {
    const types = await typesOf(fixture("cases/f27-pst/a.pst"));
    expect(types).toContain("application/vnd.ms-outlook-pst");
    expect(types).not.toContain("application/x-cfb");
    expect(await typesOf(makeOle(["__properties_version1.0"]))).toEqual([
      "application/vnd.ms-outlook",
      "application/x-cfb",
    ]);
  });
});

function makeDotNet(): Buffer {
  const program = Buffer.alloc(1024);
  program.write("MZ");
  program.writeUInt32LE(0x80, 0x3c);
  program.write("PE\0\0", 0x80, "latin1");
  const optional = 0x80 + 24;
  program.writeUInt16LE(0x10b, optional);
  program.writeUInt32LE(16, optional + 92);
  program.writeUInt32LE(0x2008, optional + 96 + 8 * 14);
  return program;
}

describe("what YARA's modules read, and archives", () => {
  it.each([
    ["a program of .NET", makeDotNet(), "application/x-dotnet-assembly"],
    ["a program of .NET, as a program", makeDotNet(), "application/x-msdownload"],
    [
      "a Mach-O",
      Buffer.from("cffaedfe0700000103000000020000001000000000000000", "hex"),
      "application/x-mach-binary",
    ],
    [
      "a Mach-O for several processors",
      Buffer.from("cafebabe000000020100000700000003", "hex"),
      "application/x-mach-binary",
    ],
    ["a class of Java", Buffer.from("cafebabe00000041001d0a0002000307", "hex"), "application/java-vm"],
    ["a DEX", latin1("dex\n035\0", 200), "application/x-dex"],
    ["a Chrome extension", latin1("Cr24\x03\0\0\0", 200), "application/x-google-chrome-extension"],
    [
      "a shortcut",
      Buffer.from("4c0000000114020000000000c000000000000046", "hex"),
      "application/x-ms-shortcut",
    ],
    ["a note of OneNote", Buffer.from("e4525c7b8cd8a74daeb15378d02996d30000", "hex"), "application/onenote"],
    ["a 7z", fixture("archives/plain.7z"), "application/x-7z-compressed"],
    ["an ARJ", fixture("archives/plain.arj"), "application/x-arj"],
    ["an ACE", latin1("\x12\x34\x31\0\0\0\x90**ACE**\x14", 200), "application/x-ace-compressed"],
    ["a tar in a gzip", gzipSync(makeTar([{ name: "a", content: "b" }])), "application/x-tar"],
    ["a gzip", gzipSync(makeTar([{ name: "a", content: "b" }])), "application/gzip"],
    ["a tar in a zstd", zstdCompressSync(makeTar([{ name: "a", content: "b" }])), "application/x-tar"],
    ["an ALZ", latin1("ALZ\x01\x0a\0\0\0BLZ\x01", 200), "application/x-alz"],
    ["an EGG", latin1("EGGA\0\x01", 200), "application/x-egg"],
  ])("are known: %s", async (_, content, type) => {
    expect(await typesOf(content)).toContain(type);
  });

  it("are no class of Java for being a program of Apple for several processors", async () => {
    expect(await typesOf(Buffer.from("cafebabe00000041001d0a0002000307", "hex"))).not.toContain(
      "application/x-mach-binary",
    );
  });

  it.each([
    ["application/x-vhd", "application/x-virtualbox-vhd"],
    ["application/x-squashfs", "application/vnd.squashfs"],
    ["application/x-bat", "text/x-msdos-batch"],
    ["text/x-vbscript", "text/vbscript"],
    ["application/x-httpd-jsp", "text/x-jsp"],
    ["text/vbscript.encode", "application/x-encoded-script"],
    ["application/x-cd-image", "application/x-iso9660-image"],
  ])("match rules by other names as well: %s", (pattern, type) => {
    expect(matchesType(pattern, type)).toBe(true);
  });
});

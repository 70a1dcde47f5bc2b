import { readFileSync } from "node:fs";
import { crc32, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectTypes, TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const ofFile = (content: Uint8Array) => detectTypes(content, "file", true);

/** A ZIP with stored members and nothing else. */
function zip(members: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(members)) {
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(crc32(text), 10);
    shared.writeUInt32LE(text.length, 14);
    shared.writeUInt32LE(text.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), shared, bytes(name), bytes(text)]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), shared, tail, bytes(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

const docx = zip({
  "[Content_Types].xml":
    '<?xml version="1.0"?><Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
  "word/document.xml": "<w:document/>",
});

describe("detectTypes, from sample to types", () => {
  it.each([
    ["an ELF binary", readFileSync(process.execPath).subarray(0, TRIAGE_HEAD_BYTES), ["application/x-elf"]],
    ["a PE binary", Buffer.from("4d5a900003000000040000ffff0000b8", "hex"), ["application/x-msdownload"]],
    ["a gzip", gzipSync("x".repeat(100)), ["application/gzip"]],
    ["a ZIP", zip({ "readme.txt": "hello" }), ["application/zip"]],
    [
      "a Word document",
      docx,
      ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"],
    ],
    [
      "a Java archive",
      zip({ "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n" }),
      ["application/java-archive", "application/zip"],
    ],
    ["a PDF", Buffer.from("%PDF-1.7\n\x80\x81\n", "latin1"), ["application/pdf"]],
    ["a shell script", bytes("#!/bin/sh\necho hi\n"), ["text/x-shellscript", "text/plain"]],
    [
      "a script run through env",
      bytes("#!/usr/bin/env -S python3.12 -u\nprint(1)\n"),
      ["text/x-python", "text/plain"],
    ],
    [
      "a script with an environment",
      bytes("#!/usr/bin/env A=1 node\n"),
      ["application/javascript", "text/plain"],
    ],
    ["a perl script", bytes("#! /usr/bin/perl -w\n"), ["text/x-perl", "text/plain"]],
    ["a script of an unknown interpreter", bytes("#!/opt/odd\n"), ["text/x-script", "text/plain"]],
    ["a PHP page", bytes("\n<?php echo 1;"), ["text/x-php", "text/plain"]],
    ["an HTML page", bytes("  <!DOCTYPE html>\n<html></html>"), ["text/html", "text/plain"]],
    ["a batch file", bytes("@ECHO OFF\r\ndel *.*\r\n"), ["text/x-msdos-batch", "text/plain"]],
    ["a mail", bytes("Received: from a by b\n\nhello"), ["message/rfc822", "text/plain"]],
    ["a text", bytes("Grüße, 世界\n"), ["text/plain"]],
    ["a UTF-16 text", Buffer.from("\ufeff#!/bin/sh\n", "utf16le"), ["text/x-shellscript", "text/plain"]],
    ["bytes with NULs", Buffer.from("abc\0def"), ["application/octet-stream"]],
    ["bytes that are no UTF-8", Buffer.from([0x66, 0x6f, 0xf6, 0x0a]), ["application/octet-stream"]],
    ["nothing", new Uint8Array(), ["application/x-empty"]],
  ])("knows %s", async (_, content, types) => {
    expect(await ofFile(content)).toEqual(types);
  });

  it("lists an SVG picture as the XML and the text that it is as well", async () => {
    const types = await ofFile(bytes("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"));
    expect(types).toEqual(["image/svg+xml", "application/xml", "text/plain"]);
  });

  it("forgives a character cut at the end of a head, not at the end of the whole", async () => {
    const cut = bytes("caf\u00e9").subarray(0, 4);
    expect(await detectTypes(cut, "file", false)).toEqual(["text/plain"]);
    expect(await detectTypes(cut, "file", true)).toEqual(["application/octet-stream"]);
  });

  it("calls a URL artifact a URL, and one that is no text unrecognised", async () => {
    expect(await detectTypes(bytes("https://a.example/"), "url", true)).toEqual(["text/x-url", "text/plain"]);
    expect(await detectTypes(Buffer.from([0xff, 0, 1]), "url", true)).toEqual(["application/octet-stream"]);
  });

  it("finds the same types in the head and in the whole", async () => {
    const long = Buffer.concat([bytes("#!/bin/ash\n"), Buffer.alloc(3 * TRIAGE_HEAD_BYTES, "é")]);
    const head = await detectTypes(long.subarray(0, TRIAGE_HEAD_BYTES), "file", false);
    expect(head).toEqual(["text/x-shellscript", "text/plain"]);
    expect(await ofFile(long)).toEqual(head);
  });

  it("looks no further than the head", async () => {
    const tail = Buffer.concat([Buffer.alloc(TRIAGE_HEAD_BYTES, "x"), Buffer.from([0, 0xff])]);
    expect(await ofFile(tail)).toEqual(["text/plain"]);
  });

  it("names at least one type whatever the bytes, and never throws", async () => {
    const magics = [
      "PK\x03\x04",
      "\x1f\x8b\x08",
      "%PDF",
      "\x7fELF",
      "MZ",
      "ID3",
      "OggS",
      "RIFF",
      "\x1aE\xdf\xa3",
      "#!",
      "",
    ];
    const content = fc
      .tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 400 }))
      .map(([magic, rest]) => Buffer.concat([Buffer.from(magic, "latin1"), rest]));
    await fc.assert(
      fc.asyncProperty(content, fc.boolean(), fc.constantFrom("file", "url"), async (sample, whole, kind) => {
        const types = await detectTypes(sample, kind, whole);
        expect(types.length).toBeGreaterThan(0);
        expect(new Set(types).size).toBe(types.length);
      }),
      { numRuns: 500 },
    );
  });
});

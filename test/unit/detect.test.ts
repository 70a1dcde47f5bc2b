import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectTypes, TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";
import { noise } from "../fixtures/hostile/corpus.ts";
import {
  GIF,
  MSI_CLASS,
  makeApk,
  makeJar,
  makeOdt,
  makeOffice,
  makeOle,
  makeTar,
} from "../fixtures/hostile/make-file.ts";
import { makeZip } from "../fixtures/hostile/make-zip.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const ofFile = (content: Uint8Array) => detectTypes(content, "file", "whole");

describe("detectTypes, from sample to types", () => {
  it.each([
    ["an ELF binary", readFileSync(process.execPath).subarray(0, TRIAGE_HEAD_BYTES), ["application/x-elf"]],
    ["a PE binary", Buffer.from("4d5a900003000000040000ffff0000b8", "hex"), ["application/x-msdownload"]],
    ["a gzip", gzipSync("x".repeat(100)), ["application/gzip"]],
    ["a ZIP", makeZip([{ name: "readme.txt", content: "hello" }]), ["application/zip"]],
    [
      "a Word document",
      makeOffice("word"),
      ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"],
    ],
    ["a Java archive", makeJar(), ["application/java-archive", "application/zip"]],
    [
      "a signed Android package, which begins like a jar",
      makeApk(),
      ["application/vnd.android.package-archive", "application/zip"],
    ],
    [
      "a Word document with macros",
      makeOffice("word", "declared"),
      [
        "application/vnd.ms-word.document.macroenabled.12",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
      ],
    ],
    [
      "an Excel sheet",
      makeOffice("xl"),
      ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip"],
    ],
    [
      "slides whose first member is a large picture",
      makeOffice("ppt", undefined, [{ name: "ppt/a.png", content: noise(20_000), method: "stored" }]),
      ["application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/zip"],
    ],
    ["an OpenDocument text", makeOdt(), ["application/vnd.oasis.opendocument.text", "application/zip"]],
    ["an old Word document", makeOle(["WordDocument"]), ["application/msword", "application/x-cfb"]],
    ["an old Excel sheet", makeOle(["Workbook"]), ["application/vnd.ms-excel", "application/x-cfb"]],
    [
      "a mail of Outlook",
      makeOle(["__properties_version1.0"]),
      ["application/vnd.ms-outlook", "application/x-cfb"],
    ],
    ["a Windows Installer package", makeOle(["a"], MSI_CLASS), ["application/x-msi", "application/x-cfb"]],
    ["a tar", makeTar([{ name: "a", content: "b" }]), ["application/x-tar"]],
    [
      "a Debian package",
      Buffer.from(`!<arch>\n${"debian-binary".padEnd(48)}${"4".padEnd(10)}\`\n2.0\n\0`),
      ["application/x-deb", "application/x-unix-archive"],
    ],
    ["a picture that is a jar", makeJar(GIF), ["application/java-archive", "image/gif", "application/zip"]],
    [
      "a shortcut",
      Buffer.from("4c0000000114020000000000c000000000000046", "hex"),
      ["application/x-ms-shortcut"],
    ],
    ["a rich text", bytes("{\\rtf1 hello}"), ["application/rtf", "text/plain"]],
    [
      "a mail of headers only",
      bytes("From: a@b\nTo: c@d\nSubject: x\n\nhi"),
      ["message/rfc822", "text/plain"],
    ],
    [
      "a PowerShell script",
      bytes("param([string]$x)\nWrite-Host $x\n"),
      ["application/x-powershell", "text/plain"],
    ],
    ["a VBScript", bytes('Dim x\nSet x = CreateObject("WScript.Shell")\n'), ["text/vbscript", "text/plain"]],
    ["a Python module", bytes("import os\ndef f():\n  pass\n"), ["text/x-python", "text/plain"]],
    ["a JSON document", bytes('{"a":1}'), ["application/json", "text/plain"]],
    ["a script in a code page of old", Buffer.from("<?php // \xfc", "latin1"), ["text/x-php", "text/plain"]],
    ["a PDF behind junk", bytes(`junk\n%PDF-1.4\n`), ["application/pdf", "text/plain"]],
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
    ["a text in Latin-1", Buffer.from([0x66, 0x6f, 0xf6, 0x0a]), ["text/plain"]],
    ["nothing", new Uint8Array(), ["application/x-empty"]],
  ])("knows %s", async (_, content, types) => {
    expect(await ofFile(content)).toEqual(types);
  });

  it("lists an SVG picture as the XML and the text that it is as well", async () => {
    const types = await ofFile(bytes("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"));
    expect(types).toEqual(["image/svg+xml", "application/xml", "text/plain"]);
  });

  it("knows a text whose last character is cut, at the end of a head and at the end of the whole", async () => {
    const cut = bytes("caf\u00e9").subarray(0, 4);
    expect(await detectTypes(cut, "file", "beginning")).toEqual(["text/plain"]);
    expect(await detectTypes(cut, "file", "whole")).toEqual(["text/plain"]);
  });

  it("calls a URL artifact a URL, and one that is no text unrecognised", async () => {
    expect(await detectTypes(bytes("https://a.example/"), "url", "whole")).toEqual([
      "text/x-url",
      "text/plain",
    ]);
    expect(await detectTypes(Buffer.from([0xff, 0, 1]), "url", "whole")).toEqual([
      "application/octet-stream",
    ]);
  });

  it("finds the same types in the head and in the whole", async () => {
    const long = Buffer.concat([bytes("#!/bin/ash\n"), Buffer.alloc(3 * TRIAGE_HEAD_BYTES, "é")]);
    const head = await detectTypes(long.subarray(0, TRIAGE_HEAD_BYTES), "file", "beginning");
    expect(head).toEqual(["text/x-shellscript", "text/plain"]);
    expect(await ofFile(long)).toEqual(head);
  });

  it("finds in the whole what no head can tell: the directory at the end of a ZIP", async () => {
    const late = makeApk([{ name: "res/a", content: noise(20_000), method: "stored" }]);
    const head = late.subarray(0, TRIAGE_HEAD_BYTES);
    expect(await detectTypes(head, "file", "beginning")).toEqual([
      "application/java-archive",
      "application/zip",
    ]);
    expect(await ofFile(late)).toEqual(["application/vnd.android.package-archive", "application/zip"]);
  });

  it("takes hardly longer for much of what is slowest for libmagic than for 2 KiB of it", async () => {
    const [little, much] = [2 * 1024, 4 * 1024 * 1024].map((length) => Buffer.alloc(length, "\n"));
    const cpuMs = async (content: Uint8Array): Promise<number> => {
      const before = process.cpuUsage();
      for (let times = 0; times < 5; times++) await ofFile(content);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 5000;
    };
    await cpuMs(little!); // loads and warms up
    expect(await cpuMs(much!)).toBeLessThan(3 * (await cpuMs(little!)));
  });

  it("looks no further than the head at a text", async () => {
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
      fc.asyncProperty(
        content,
        fc.constantFrom("whole", "beginning"),
        fc.constantFrom("file", "url"),
        async (sample, extent, kind) => {
          const types = await detectTypes(sample, kind, extent);
          expect(types.length).toBeGreaterThan(0);
          expect(new Set(types).size).toBe(types.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

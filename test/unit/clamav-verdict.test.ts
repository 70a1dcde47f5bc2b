import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatClamdAddress, parseClamdAddress } from "../../src/scanners/clamav/address.ts";
import { familyOf, findingOfReply, readVersion } from "../../src/scanners/clamav/verdict.ts";
import { checkFinding } from "../../src/scanners/finding.ts";

const of = (reply: string, sizeBytes = 10) => findingOfReply(reply, { sizeBytes, completeBytes: 100 });

describe("clamd's reply", () => {
  it.each([
    ["Win.Trojan.Agent-6804618-0", "malicious", 0.95, "Win.Trojan.Agent"],
    ["Win.Test.EICAR_HDB-1", "malicious", 0.95, "Win.Test.EICAR_HDB"],
    ["Eicar-Test-Signature", "malicious", 0.95, "Eicar-Test-Signature"],
    ["Sanesecurity.Malware.1.UNOFFICIAL", "malicious", 0.85, "Sanesecurity.Malware.1"],
    ["PUA.Win.Packer.Upx-49", "suspicious", 0.4, "PUA.Win.Packer.Upx"],
    ["PUA.Tool.Own-1.UNOFFICIAL", "suspicious", 0.4, "PUA.Tool.Own"],
    ["Heuristics.Broken.Executable", "suspicious", 0.5, "Heuristics.Broken.Executable"],
    ["Heuristics.OLE2.ContainsMacros.VBA", "suspicious", 0.5, "Heuristics.OLE2.ContainsMacros.VBA"],
  ])("of the signature %s is %s with %d", (signature, verdict, confidence, family) => {
    const finding = of(`stream: ${signature} FOUND`);
    expect(finding).toMatchObject({ verdict, confidence, family, metadata: { signature } });
    expect(finding.metadata?.heuristic).toBe(signature.startsWith("Heuristics.") ? true : undefined);
  });

  it("may carry the details of ExtendedDetectionInfo", () => {
    const details = "(44d88612fea8a8f36de82e1278abb02f:68)";
    expect(of(`stream: Win.Test.EICAR_HDB-1${details} FOUND`).metadata?.signature).toBe(
      "Win.Test.EICAR_HDB-1",
    );
  });

  it.each(["Heuristics.Encrypted.Zip", "Heuristics.Encrypted.PDF", "Heuristics.Limits.Exceeded.MaxFileSize"])(
    "of %s is no verdict: clamd could not look",
    (signature) => {
      expect(of(`stream: ${signature} FOUND`)).toEqual({
        verdict: "unknown",
        detail: expect.stringContaining(signature),
      });
    },
  );

  it("of OK is silence, but not for content that clamd does not look at", () => {
    expect(of("stream: OK", 100)).toEqual({ verdict: "unknown" });
    expect(of("stream: OK", 101)).toEqual({
      verdict: "unknown",
      detail: expect.stringContaining("100 bytes"),
    });
  });

  it("of a stream that is too long says so", () => {
    expect(of("INSTREAM size limit exceeded. ERROR")).toEqual({
      verdict: "unknown",
      detail: expect.stringContaining("StreamMaxLength"),
    });
  });

  it.each([
    ["stream: Can't allocate memory ERROR", "CLAMD_ERROR", "Can't allocate memory"],
    ["UNKNOWN COMMAND", "CLAMD_REPLY", "UNKNOWN COMMAND"],
    ["", "CLAMD_REPLY", "it said nothing"],
    ["HTTP/1.1 400 Bad Request", "CLAMD_REPLY", "HTTP/1.1"],
    ["OK", "CLAMD_REPLY", "OK"],
  ])("%j is an error, never a verdict", (reply, code, words) => {
    expect(() => of(reply)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });

  it("is benign under no circumstances, and otherwise a finding or an error", () => {
    const replies = fc.oneof(
      fc.string(),
      fc.string().map((name) => `stream: ${name} FOUND`),
    );
    fc.assert(
      fc.property(replies, fc.nat(200), (reply, size) => {
        try {
          const checked = checkFinding(of(reply, size));
          expect(checked).toMatchObject({ ok: true });
          expect(checked.ok && checked.finding.verdict).not.toBe("benign");
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^CLAMD_(?:ERROR|REPLY)$/) });
        }
      }),
    );
  });

  it("never leaves a family empty", () => {
    expect(familyOf("-1")).toBe("-1");
  });
});

describe("clamd's version", () => {
  it.each([
    ["ClamAV 1.4.6", { vendor_version: "ClamAV 1.4.6" }],
    [
      "ClamAV 1.4.6/27500/Thu Nov 19 09:00:00 2026",
      { vendor_version: "ClamAV 1.4.6", signatures_version: "27500 Thu Nov 19 09:00:00 2026" },
    ],
  ])("is read from %j", (reply, version) => {
    expect(readVersion(reply)).toEqual(version);
  });

  it("is no answer of another service", () => {
    expect(() => readVersion("-ERR unknown command")).toThrow("is no clamd");
  });
});

describe("an address of a clamd", () => {
  it.each([
    ["clamd.example", { host: "clamd.example", port: 3310 }],
    ["localhost:3311", { host: "localhost", port: 3311 }],
    ["127.0.0.1:1", { host: "127.0.0.1", port: 1 }],
    ["[::1]:3310", { host: "::1", port: 3310 }],
    ["[::1]", { host: "::1", port: 3310 }],
    ["::1", { host: "::1", port: 3310 }],
    ["/run/clamav/clamd.ctl", { path: "/run/clamav/clamd.ctl" }],
    ["./clamd.sock", { path: "./clamd.sock" }],
    ["unix:/run/clamav/clamd.ctl", { path: "/run/clamav/clamd.ctl" }],
  ])("is read from %s", (text, address) => {
    expect(parseClamdAddress(text)).toEqual(address);
    expect(parseClamdAddress(formatClamdAddress(parseClamdAddress(text)))).toEqual(address);
  });

  it.each(["", "host:0", "host:65536", "host:port", "tcp://host:3310", "a:b:c", "[::1"])(
    "is not %j",
    (text) => {
      expect(() => parseClamdAddress(text)).toThrow(
        expect.objectContaining({ code: "CLAMD_ADDRESS_INVALID" }),
      );
    },
  );
});

import { describe, expect, it } from "vitest";
import type { Artifact } from "../../src/scanners/contract.ts";
import { scanner } from "../../src/scanners/eicar.ts";

// Assembled, so that this file is not the test file.
const EICAR = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("");

const scan = (content: string, kind: Artifact["kind"] = "file") =>
  scanner.scan(
    {
      kind,
      bytes: Buffer.from(content, "latin1"),
      sha256: "",
      types: [],
      claim: { raw: {} },
      path: () => Promise.reject(new Error("not needed")),
    },
    { signal: new AbortController().signal, deadline: 0 },
  );

describe("the eicar backend", () => {
  it.each([
    ["the test file itself", EICAR],
    ["the test string in the middle of binary content", `\x7fELF\0\0${EICAR}\0\xff`],
  ])("finds %s", (_, content) => {
    expect(EICAR).toHaveLength(68);
    expect(scan(content)).toMatchObject({ verdict: "malicious", confidence: 1, family: "Eicar Test File" });
  });

  it.each([
    ["a URL that carries the string", `https://a.example/?q=${EICAR}`],
    ["a URL that carries it percent-encoded", `data:text/plain,${encodeURIComponent(EICAR)}`],
    ["the address of the published file", "https://secure.eicar.org/eicar.com"],
    ["an older address of it", "http://www.eicar.org/download/eicar.com.txt"],
    ["the newest address of it", "https://www.eicar.org/download/eicar-com-2/?wpdmdl=8842"],
    ["the zipped file's address", "https://secure.eicar.org/eicarcom2.zip\n"],
  ])("finds %s", (_, url) => {
    expect(scan(url, "url")).toMatchObject({ verdict: "malicious" });
  });

  it.each([
    ["eicar.org's front page", "https://www.eicar.org/"],
    ["another page of eicar.org", "https://www.eicar.org/download-anti-malware-testfile/"],
    ["a file of the same name elsewhere", "https://a.example/eicar.com"],
    ["a host that only ends alike", "https://noteicar.org/eicar.com"],
    ["text that is no URL", "%%%"],
  ])("says unknown of %s, never benign", (_, url) => {
    expect(scan(url, "url")).toEqual({ verdict: "unknown" });
  });

  it("says unknown of a file without the string, and of a file that only holds the address", () => {
    expect(scan(EICAR.slice(1))).toEqual({ verdict: "unknown" });
    expect(scan("https://secure.eicar.org/eicar.com")).toEqual({ verdict: "unknown" });
  });
});

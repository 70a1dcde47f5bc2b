import { defineScanner, type Finding } from "./contract.ts";

// In two halves, so that no scanner takes this repository for the test file itself.
const EICAR = Buffer.from(
  `X5O!P%@AP[4\\PZX54(P^)7CC)7}${"$EICAR-STANDARD"}${"-ANTIVIRUS-TEST-FILE!$H+H*"}`,
  "latin1",
);

const FOUND: Finding = { verdict: "malicious", confidence: 1, family: "Eicar Test File" };
/** Not benign: that a file is not the EICAR test says nothing about it. What silence means is the operator's to say. */
const NOT_FOUND: Finding = { verdict: "unknown" };

/** The host that publishes the test file, and the names it is published under (also zipped, and zipped twice). */
const TEST_FILE_HOST = /(?:^|\.)eicar\.(?:org|com)$/;
const TEST_FILE_PATH =
  /\/eicar(?:\.com|\.com\.txt|_com\.zip|com2\.zip)$|\/download\/eicar[-_]?com[-0-9a-z]*\/?$/;

/** Whether a URL leads to the published test file. */
function isTestFileUrl(text: string): boolean {
  const url = URL.parse(text.trim());
  return url !== null && TEST_FILE_HOST.test(url.hostname) && TEST_FILE_PATH.test(url.pathname.toLowerCase());
}

/** A URL may carry the test string plain or percent-encoded (as a data: URL does). */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isMaliciousUrl(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("utf8");
  return decoded(text).includes(EICAR.toString("latin1")) || isTestFileUrl(text);
}

/**
 * Finds the EICAR anti-malware test string anywhere in a file. A URL artifact is malicious when its text carries the
 * string or when it is the address of the published test file; nothing is fetched from it.
 */
export const scanner = defineScanner({
  name: "eicar",
  version: "1.0.0",
  accepts: { kinds: ["file", "url"] },
  confine: {},
  scan({ kind, bytes }) {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = content.includes(EICAR) || (kind === "url" && isMaliciousUrl(bytes));
    return found ? FOUND : NOT_FOUND;
  },
});

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { inOrder } from "../../src/scan/in-order.ts";
import { countReport, NO_REPORTS, printable, renderCounts, renderFileReport } from "../../src/scan/render.ts";
import { type FileReport, reportUnreadable, reportUnscanned } from "../../src/scan/report.ts";

const skipped = reportUnscanned(
  { path: "big.iso", sha256: null, size: 9, types: [] },
  "not scanned: too-large, 9 bytes, the limit is 8",
);
const found: FileReport = {
  path: "bait.sh",
  sha256: "ab".repeat(32),
  size: 1,
  types: ["text/plain"],
  verdict: "malicious",
  confidence: 0.77,
  probability: 0.77,
  interval: [0.49612, 1],
  family: "Bait",
  reason: "mine malicious 0.8",
  results: [
    {
      backend: "mine",
      verdict: "malicious",
      confidence: 0.8,
      family: "Bait",
      reason: null,
      detail: null,
      ms: 3,
    },
    {
      backend: "other",
      verdict: "unknown",
      confidence: 0,
      family: null,
      reason: "crashed",
      detail: "Oh.",
      ms: 1,
    },
  ],
};

describe("a scan in words", () => {
  it("shows a file as a block of what is known, backend by backend", () => {
    expect(renderFileReport(found)).toBe(
      [
        "bait.sh",
        "  malicious 0.77  Bait",
        "  P(malicious) 0.77, from 0.496 to 1",
        "  1 byte, text/plain",
        `  sha256 ${"ab".repeat(32)}`,
        "  mine   malicious 0.8  Bait  3 ms",
        "  other  unknown (crashed)  1 ms  Oh.",
        "",
        "",
      ].join("\n"),
    );
  });

  it("says why nobody looked at a file", () => {
    expect(renderFileReport(skipped)).toContain(
      "  unknown\n  not scanned: too-large, 9 bytes, the limit is 8\n",
    );
    expect(renderFileReport(reportUnreadable("x", "EACCES"))).toBe("x\n  not readable: EACCES\n\n");
  });

  it("counts every file once", () => {
    const tally = [found, skipped, reportUnreadable("x", "gone")].reduce(countReport, NO_REPORTS);
    expect(renderCounts(tally)).toBe("3 files: 1 malicious, 1 unknown, 1 not readable\n");
    expect(renderCounts(NO_REPORTS)).toBe("0 files\n");
  });

  it("lets no stranger's text move the cursor or turn a line around", () => {
    expect(printable("a\u001b[2Jb\r\n\u202ec\u2028")).toBe("a\\u{1b}[2Jb\\u{d}\\u{a}\\u{202e}c\\u{2028}");
  });

  it("keeps the order of the files, and no more of them in work than allowed", async () => {
    const scans = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
    const begun: number[] = [];
    async function* numbers() {
      yield* scans.keys();
    }
    const reports = inOrder(numbers(), 2, (number) => {
      begun.push(number);
      return scans[number]!.promise;
    });
    const first = reports.next();
    scans[1]!.resolve(1);
    await turn();
    expect(begun).toEqual([0, 1]);
    scans[0]!.resolve(0);
    expect((await first).value).toBe(0);
    for (const number of [3, 2]) scans[number]!.resolve(number);
    const rest: number[] = [];
    for await (const number of reports) rest.push(number);
    expect(rest).toEqual([1, 2, 3]);
  });
});

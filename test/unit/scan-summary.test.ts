import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../src/scan/exit-code.ts";
import { Progress, progressLine } from "../../src/scan/progress.ts";
import { readStreamWithin } from "../../src/scan/read-file.ts";
import { countReport, NO_REPORTS } from "../../src/scan/render.ts";
import { type FileReport, reportUnreadable, reportUnscanned } from "../../src/scan/report.ts";
import {
  isWanted,
  newSummary,
  renderHead,
  renderSummary,
  type SummaryTerms,
  summarise,
} from "../../src/scan/summary.ts";

const SEEN = { sha256: "ab".repeat(32), size: 9, types: ["text/plain"] };
const clean = (path: string): FileReport => reportUnscanned({ path, ...SEEN }, "nothing");
const found = (path: string, verdict: FileReport["verdict"] = "malicious"): FileReport => ({
  ...clean(path),
  verdict,
  confidence: 0.9,
  family: "Bait",
});
const failed = (path: string): FileReport => ({
  ...clean(path),
  results: [
    {
      backend: "mine",
      verdict: "unknown",
      confidence: 0,
      family: null,
      reason: "timeout",
      detail: null,
      ms: 1,
    },
  ],
});

const tallyOf = (...reports: readonly FileReport[]) => reports.reduce(countReport, NO_REPORTS);

const ALL: SummaryTerms = { only: [], details: 20 };
const told = (
  reports: readonly FileReport[],
  terms = ALL,
  end: "complete" | "interrupted" = "complete",
): string => renderSummary(reports.reduce(summarise, newSummary(terms)), end);

describe("the summary of a scan", () => {
  it("says first what it comes to, then what was found, then some files in full, the malicious ones first", () => {
    const reports = [
      clean("a"),
      found("b"),
      failed("c"),
      reportUnreadable("d", "EACCES"),
      found("e", "suspicious"),
    ];
    const text = told(reports);
    expect(text.split("\n").slice(0, 13)).toEqual([
      "5 files: 1 malicious, 1 suspicious, 1 unknown, 1 not scanned, 1 not readable",
      "",
      ...["malicious", "  b  0.9  Bait", "", "suspicious", "  e  0.9  Bait", ""],
      ...["could not be scanned", "  c  mine: timeout", "  d  not readable: EACCES", "", "b"],
    ]);
    expect([...text.matchAll(/^(\w)$/gm)].map(([, path]) => path)).toEqual(["b", "e", "c", "d", "a"]);
  });

  it("stays readable after 5,000 files, and says how to see the rest", () => {
    const reports = Array.from({ length: 5_000 }, (_, at) =>
      at % 10 === 0 ? found(`f${at}`) : clean(`f${at}`),
    );
    const lines = told(reports).split("\n");
    expect(lines[0]).toBe("5000 files: 500 malicious, 4500 unknown");
    expect(lines).toContain("  and 400 more");
    expect(lines.at(-2)).toBe("4980 more files: --details 5000 shows all, --json tells of each.");
    expect(lines.length).toBeLessThan(300);
  });

  it("tells only of the verdicts that are asked for, and counts all", () => {
    const terms: SummaryTerms = { only: ["malicious"], details: 20 };
    const text = told([clean("a"), found("b"), found("c", "suspicious")], terms);
    expect(text).toContain("3 files: 1 malicious, 1 suspicious, 1 unknown\n");
    expect([...text.matchAll(/^(\w)$/gm)].map(([, path]) => path)).toEqual(["b"]);
    expect(text).not.toContain("more file");
    expect([clean("a"), found("b")].filter((report) => isWanted(report, terms))).toHaveLength(1);
  });

  it("says when it was interrupted, also where only the count is told", () => {
    expect(renderHead(tallyOf(clean("a")), "interrupted")).toBe(
      "Interrupted; scanned so far: 1 file: 1 unknown\n",
    );
    expect(renderHead(tallyOf(clean("a")), "complete")).toBe("1 file: 1 unknown\n");
    expect(told([clean("a")], ALL, "interrupted")).toMatch(
      /^Interrupted; scanned so far: 1 file: 1 unknown\n/,
    );
  });

  it("shows nothing of names that would move the cursor", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    expect(told([found("a\u001b[2J"), found("b")])).not.toMatch(/\u001b/);
  });
});

describe("the exit code of a scan", () => {
  const end = (
    reports: readonly FileReport[],
    terms: Partial<Parameters<typeof exitCodeOf>[0]> = {},
  ): number => exitCodeOf({ tally: tallyOf(...reports), failOn: [], interrupted: "complete", ...terms });

  it.each([
    ["everything was scanned, whatever was found", [clean("a"), found("b")], {}, 0],
    ["something could not be read", [clean("a"), reportUnreadable("b", "x")], {}, 1],
    ["no backend could look at a file", [failed("a"), found("b")], {}, 1],
    [
      "something was found that it is to fail on",
      [found("a"), reportUnreadable("b", "x")],
      { failOn: ["malicious"] },
      3,
    ],
    ["nothing of that was found", [found("a")], { failOn: ["suspicious"] }, 0],
    ["it was interrupted", [found("a")], { failOn: ["malicious"], interrupted: "interrupted" }, 130],
  ] as const)("tells when %s", (_, reports, terms, code) => {
    expect(end(reports, terms)).toBe(code);
  });
});

describe("the progress of a scan", () => {
  const tally = [clean("a"), found("b")].reduce(countReport, NO_REPORTS);

  it("has a bar once the number of files is known, and fits the terminal", () => {
    expect(progressLine({ tally, total: undefined }, 80)).toBe("2 files, 1 malicious");
    expect(progressLine({ tally, total: 4 }, 80)).toBe(
      "[############------------] 2 of 4 files, 1 malicious",
    );
    expect(progressLine({ tally, total: 4 }, 20)).toHaveLength(19);
  });

  it("is drawn on a terminal alone, and leaves nothing there", () => {
    const written = (isTTY: boolean): string => {
      let text = "";
      const out = { isTTY, columns: 80, write: (more: string) => (text += more) };
      using progress = new Progress(out, () => ({ tally, total: 4 }));
      progress.draw();
      progress[Symbol.dispose]();
      return text;
    };
    expect(written(false)).toBe("");
    expect(written(true)).toContain("2 of 4 files");
    expect(written(true).endsWith("\r\u001b[K")).toBe(true);
  });
});

describe("standard input", () => {
  async function* parts(...texts: readonly string[]) {
    for (const text of texts) yield Buffer.from(text);
  }

  it("is read to its end, and no further than the limit", async () => {
    expect(await readStreamWithin(parts("ab", "c"), 3)).toMatchObject({
      kind: "content",
      bytes: Buffer.from("abc"),
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    });
    expect(await readStreamWithin(parts("ab", "cd", "ef"), 3)).toEqual({ kind: "too-large", sizeBytes: 4 });
  });
});

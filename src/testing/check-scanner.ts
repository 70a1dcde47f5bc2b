/**
 * A test kit for authors of scanners; published as `microengine/testing`. Works with any test runner: `assertScanner`
 * throws when a scanner does not keep its contract, `checkScanner` says what it found. docs/writing-a-scanner.md explains
 * both by example.
 *
 * What is checked: the scanner can be set up, torn down and set up again; it gives each sample the expected verdict, and
 * the same one every time; it stands content of every length and none; it stops at its deadline; what it says is a finding,
 * and its metadata what the marketplace takes.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { refusalOf } from "../domain/accepts.ts";
import { metadataComplaints } from "../domain/assertion-metadata.ts";
import { describeError, Fault } from "../domain/fault.ts";
import type { BackendDescription, Finding, Scanner } from "../scanners/contract.ts";
import { type CheckedFinding, checkFinding } from "../scanners/finding.ts";
import { resolveBackend } from "../scanners/registry.ts";
import { AcceptsShape, ScannerName, ScannerVersion } from "../scanners/scanner-shape.ts";
import { type PreparedSample, prepareSample, type Sample, standardSamples } from "./sample.ts";
import { type RunOutcome, runHere, runInWorker, type ScannerRun, type TrialLimits } from "./scanner-run.ts";

export type { CheckedFinding } from "../scanners/finding.ts";
export type { Sample } from "./sample.ts";

/**
 * A scanner module or the JSON file of a program or service, by its path, which is run in processes of its own as a
 * consumer runs it; or the scanner itself, which is run in the process of the test.
 */
export type ScannerUnderTest = string | URL | Scanner | (() => Scanner | Promise<Scanner>);

export interface CheckOptions {
  readonly samples?: readonly Sample[];
  /** How long a scan may take. Default: 10 seconds. */
  readonly deadlineMs?: number;
  /** How long a scan may go on after its deadline. Default: a second; a scanner that computes may need more. */
  readonly graceMs?: number;
}

export interface SampleResult {
  readonly name: string;
  readonly finding: CheckedFinding;
  readonly ms: number;
}

export interface ScannerReport {
  /** Of the scanner; what it was given as, when it could not even be loaded. */
  readonly name: string;
  /** What is wrong, a sentence each. */
  readonly complaints: readonly string[];
  /** What it said of each sample of the caller's that it answered with a finding. */
  readonly results: readonly SampleResult[];
}

const CLOSE_MS = 2_000;

/** Throws Fault SCANNER_CONTRACT, which lists all complaints when there are any. */
export async function assertScanner(
  scanner: ScannerUnderTest,
  options: CheckOptions = {},
): Promise<ScannerReport> {
  const report = await checkScanner(scanner, options);
  if (report.complaints.length === 0) return report;
  const list = report.complaints.map((complaint) => `\n  - ${complaint}`).join("");
  throw new Fault("SCANNER_CONTRACT", `The scanner ${report.name} does not keep its contract:${list}`);
}

/** Never throws for what a scanner does; only for samples that cannot be read. */
export async function checkScanner(
  scanner: ScannerUnderTest,
  options: CheckOptions = {},
): Promise<ScannerReport> {
  const { samples = [], deadlineMs = 10_000, graceMs = 1_000 } = options;
  const specimens = await Promise.all(samples.map(prepareSample));
  const { begin, called } = subjectOf(scanner, { graceMs, closeMs: CLOSE_MS });
  let first: ScannerRun;
  try {
    first = await begin();
  } catch (error) {
    return { name: called, complaints: [describeError(error)], results: [] };
  }
  const { description } = first;
  const trial = new Trial(description, deadlineMs, graceMs);
  trial.checkShape();
  const all = [
    ...specimens.filter((specimen) => trial.checkAccepted(specimen)),
    ...(await standardSamples(description.accepts)),
  ];
  await trial.checkFindings(first, all);
  await trial.checkDeadline(first, all);
  trial.note(await first.close());
  try {
    const second = await begin();
    // In reverse order: a finding must not depend on the samples before.
    await trial.checkRepetition(second, all.toReversed());
    trial.note(await second.close());
  } catch (error) {
    trial.note(`It cannot be set up a second time: ${describeError(error)}`);
  }
  const { complaints, results } = trial;
  const asked = new Set(specimens.map(({ name }) => name));
  return { name: description.name, complaints, results: results.filter(({ name }) => asked.has(name)) };
}

interface Subject {
  readonly called: string;
  begin(): Promise<ScannerRun>;
}

function subjectOf(scanner: ScannerUnderTest, limits: TrialLimits): Subject {
  if (typeof scanner === "string" || scanner instanceof URL) {
    const path = scanner instanceof URL ? fileURLToPath(scanner) : resolve(scanner);
    const module = resolveBackend(path);
    return { called: path, begin: () => runInWorker(module, limits) };
  }
  const left = {};
  const made = async (): Promise<Scanner> => (typeof scanner === "function" ? scanner() : scanner);
  const called = typeof scanner === "function" ? "of this function" : scanner.name;
  return { called, begin: async () => runHere(await made(), limits, left) };
}

/** The checks of one scanner: its results, and complaints about what it does wrong. */
class Trial {
  readonly complaints: string[] = [];
  readonly results: SampleResult[] = [];
  readonly #description: BackendDescription;
  readonly #deadlineMs: number;
  readonly #graceMs: number;

  constructor(description: BackendDescription, deadlineMs: number, graceMs: number) {
    this.#description = description;
    this.#deadlineMs = deadlineMs;
    this.#graceMs = graceMs;
  }

  note(complaint: string | undefined): void {
    if (complaint !== undefined && !this.complaints.includes(complaint)) this.complaints.push(complaint);
  }

  /** A module is checked when it is loaded; an object may be anything that the compiler let pass. */
  checkShape(): void {
    const { name, version, accepts } = this.#description;
    const shapes = { name: ScannerName, version: ScannerVersion, accepts: AcceptsShape };
    for (const [key, value] of Object.entries({ name, version, accepts })) {
      const checked = shapes[key as keyof typeof shapes].safeParse(value);
      if (!checked.success) this.note(`${key} is wrong: ${checked.error.issues[0]!.message}.`);
    }
  }

  /** Whether a consumer would give the scanner this sample; one that is never scanned proves nothing. */
  checkAccepted({ name, kind, types, bytes }: PreparedSample): boolean {
    const refusal = refusalOf(this.#description.accepts, { kind, types, sizeBytes: bytes.length });
    if (refusal === undefined) return true;
    const why = {
      "wrong-kind": `it takes no ${kind} artifacts`,
      "too-large": `it takes at most ${this.#description.accepts.maxSizeBytes} bytes of the ${bytes.length}`,
      "type-not-accepted": `its types are ${types.join(", ")}`,
    }[refusal];
    this.note(`${name}: by what it accepts, the scanner is never given this (${why}).`);
    return false;
  }

  /** Scans each sample, and compares what is found with what is expected. */
  async checkFindings(run: ScannerRun, specimens: readonly PreparedSample[]): Promise<void> {
    for (const specimen of specimens) {
      const from = performance.now();
      const finding = this.#findingIn(await run.scan(specimen, this.#deadlineMs), specimen);
      if (finding === undefined) continue;
      const { name } = specimen;
      this.results.push({ name, finding, ms: performance.now() - from });
      this.#compare(specimen, finding);
    }
  }

  /** The deadline comes at once: what matters is only that the scanner stops. */
  async checkDeadline(run: ScannerRun, specimens: readonly PreparedSample[]): Promise<void> {
    for (const specimen of specimens) {
      const { kind } = await run.scan(specimen, 1);
      if (kind !== "timeout") continue;
      this.note(
        `${specimen.name}: it went on for more than ${this.#graceMs} ms after its deadline. Hand the signal to what it waits for.`,
      );
    }
  }

  /** The same samples in another run of the scanner: the findings must be the same. */
  async checkRepetition(run: ScannerRun, specimens: readonly PreparedSample[]): Promise<void> {
    for (const specimen of specimens) {
      const before = this.results.find(({ name }) => name === specimen.name)?.finding;
      const after = this.#findingIn(await run.scan(specimen, this.#deadlineMs), specimen);
      if (before === undefined || after === undefined || gist(before) === gist(after)) continue;
      this.note(`${specimen.name}: it said ${gist(before)}, and ${gist(after)} of the same bytes later.`);
    }
  }

  #findingIn(outcome: RunOutcome, { name }: PreparedSample): CheckedFinding | undefined {
    const complain = (what: string): undefined => this.note(`${name}: ${what}`) as undefined;
    switch (outcome.kind) {
      case "finding": {
        const checked = checkFinding(outcome.finding);
        if (!checked.ok) return complain(`what it returned is no finding: ${checked.why}.`);
        const { confidence } = outcome.finding as Finding;
        if (confidence !== undefined && confidence !== null && (confidence < 0 || confidence > 1))
          complain(`a confidence of ${confidence} counts as ${clamped(confidence)}: say it from 0 to 1.`);
        return checked.finding;
      }
      case "thrown":
        return complain(
          `scan threw: ${outcome.detail.replace(/\.?$/, ".")} Say unknown, with a detail, of what it cannot read.`,
        );
      case "timeout":
      case "gave-up":
        return complain(`no answer within ${this.#deadlineMs} ms.`);
      case "cancelled":
        return complain("the scan was called off.");
      default:
        return complain(outcome.detail);
    }
  }

  #compare({ name, verdict, family, meaningless }: PreparedSample, finding: CheckedFinding): void {
    const { dropped } = finding;
    for (const complaint of dropped === undefined ? metadataComplaints(finding.metadata) : [dropped])
      this.note(`${name}: ${complaint}`);
    const said = finding.verdict;
    if (verdict !== undefined && said !== verdict)
      this.note(`${name}: expected ${verdict}, it says ${gist(finding)}.`);
    if (family !== undefined && finding.family !== family)
      this.note(`${name}: expected the family ${family}, it says ${finding.family ?? "none"}.`);
    if (meaningless && (said === "benign" || said === "malicious"))
      this.note(
        `${name}: it says ${said} of bytes that mean nothing. Say unknown of what it does not recognise.`,
      );
  }
}

const clamped = (confidence: number): number => Math.min(1, Math.max(0, confidence));

const gist = ({ verdict, confidence, family, detail }: CheckedFinding): string =>
  [verdict, ...(verdict === "unknown" ? [] : [confidence]), family, detail && `(${detail})`]
    .filter((part) => part !== undefined)
    .join(" ");

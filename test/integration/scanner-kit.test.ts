import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { defineScanner, type Scanner } from "../../src/scanners/contract.ts";
import { assertScanner, checkScanner } from "../../src/testing/check-scanner.ts";

const fixture = (name: string): URL => new URL(`../fixtures/scanners/${name}`, import.meta.url);

/** A scanner without a fault, to be spoiled. */
const careful = (changes: Partial<Scanner> = {}): Scanner =>
  defineScanner({
    name: "careful",
    version: "1.0.0",
    accepts: { types: ["text/*"] },
    scan: ({ bytes }) =>
      Buffer.from(bytes).includes("needle")
        ? { verdict: "malicious", confidence: 0.9, family: "Needle", metadata: { heuristic: true } }
        : { verdict: "unknown" },
    ...changes,
  });
const NEEDLE = { content: "a needle", verdict: "malicious", family: "Needle" } as const;
const complaintsOf = async (scanner: Scanner, options: Parameters<typeof checkScanner>[1] = {}) =>
  (await checkScanner(scanner, options)).complaints;

describe("the test kit for authors of scanners", () => {
  it("has nothing to say against a scanner that keeps its contract, and tells what that said", async () => {
    const { complaints, results } = await checkScanner(careful(), { samples: [NEEDLE, { content: "hay" }] });
    expect(complaints).toEqual([]);
    expect(results.map(({ name, finding }) => [name, finding.verdict])).toEqual([
      ["sample 1", "malicious"],
      ["sample 2", "unknown"],
    ]);
  });

  it("runs a module in processes of its own, and lists in sentences all that is wrong with it", async () => {
    const options = {
      samples: [
        { name: "page", content: "<html></html>" },
        { content: "%PDF-1.7\n", verdict: "malicious" },
      ],
      deadlineMs: 400,
      graceMs: 200,
    } as const;
    const { name, complaints } = await checkScanner(fixture("careless.ts"), options);
    expect(name).toBe("careless");
    const text = complaints.join("\n");
    for (const sentence of [
      /^page: by what it accepts, the scanner is never given this \(its types are text\/html, text\/plain\)\.$/m,
      /^sample 2: metadata\.domains is left out: it must be a list of texts of 3 to 127 characters\.$/m,
      /^sample 2: metadata\.malware_family is left out/m,
      /^sample 2: expected malicious, it says benign 1\.$/m,
      /^sample 2: it said benign 1, and benign 0\.\d+ of the same bytes later\.$/m,
      /^0 bytes: scan threw: there is nothing at 0\. Say unknown/m,
      /^4096 random bytes: it says benign of bytes that mean nothing/m,
      /^1 MiB of random bytes: no answer within 400 ms\.$/m,
      /^1 MiB of random bytes: it went on for more than 200 ms after its deadline\./m,
    ])
      expect(text).toMatch(sentence);
  });

  it("minds a confidence in percent, which would be taken for certainty", async () => {
    const scan: Scanner["scan"] = ({ bytes }) =>
      bytes.length > 100_000
        ? { verdict: "suspicious", confidence: 85 }
        : { verdict: "unknown", confidence: 0 };
    expect(await complaintsOf(careful({ scan }))).toEqual([
      "1 MiB of random bytes: a confidence of 85 counts as 1: say it from 0 to 1.",
    ]);
  });

  it("hears a teardown that fails, in a process and in its own", async () => {
    const teardown = (): never => {
      throw new Error("the door is stuck");
    };
    const here = await complaintsOf(careful({ teardown }));
    const there = await checkScanner(fixture("stuck-door.ts"));
    expect([here, there.complaints].map((complaints) => complaints.join())).toEqual([
      "teardown failed: the door is stuck",
      "teardown failed: Error: the door is stuck",
    ]);
  });

  it("sets it up a second time", async () => {
    let open = 0;
    const setup = (): void => {
      if (++open > 1) throw new Error("the port is taken");
    };
    expect(await complaintsOf(careful({ setup }))).toEqual([
      "It cannot be set up a second time: the port is taken",
    ]);
    const teardown = (): void => {
      open = 0;
    };
    open = 0;
    expect(await complaintsOf(careful({ setup, teardown }))).toEqual([]);
  });

  it("lets a scanner give up at its deadline, by an error or an answer", async () => {
    const heeding = careful({
      scan: (_artifact, { signal }) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener("abort", () => reject(signal.reason));
          // What it says in time, when it has any.
          setImmediate(() => setImmediate(() => resolve({ verdict: "unknown" })));
        }),
    });
    expect(await complaintsOf(heeding)).toEqual([]);
  });

  it("says so when a module is not there, and throws all complaints at once when asked to", async () => {
    const none = fileURLToPath(fixture("none.ts"));
    await expect(assertScanner(none)).rejects.toThrow(
      /does not keep its contract:\n {2}- There is no scanner module .*none\.ts/,
    );
    await expect(assertScanner(careful(), { samples: [NEEDLE] })).resolves.toMatchObject({ name: "careful" });
  });

  it("gives a scanner of URLs text, and an object of the wrong shape a complaint", async () => {
    const seen: string[] = [];
    const urls = careful({
      name: "Not A Name",
      accepts: { kinds: ["url"] },
      scan: ({ kind, bytes }) => {
        seen.push(kind);
        new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        return { verdict: "unknown" };
      },
    });
    expect(await complaintsOf(urls)).toEqual([
      "name is wrong: must be lower-case letters, digits and dashes.",
    ]);
    expect(new Set(seen)).toEqual(new Set(["url"]));
  });
});

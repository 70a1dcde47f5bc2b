import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { leash } from "../e2e/leash.ts";
import { microengine, plainEnvironment, ROOT } from "../e2e/run-process.ts";
import { RuleFolder, ruleFor } from "../fixtures/rule-folder.ts";

/** As they are found in public sets: YARA takes the first three, YARA-X does not; the fourth is in latin-1. */
const RULES = {
  "a.yar": "rule plugx { strings: $d = /\\\\AppData\\\\[0-9]{2,4}\\VMware\\.exe/ condition: $d }",
  "b.yar": "rule er { strings: $g = /BADD|Bad Error|/ condition: $g }",
  "c.yar": 'import "magic"\nrule m { condition: magic.mime_type() == "application/pdf" }',
  "latin.yar": Buffer.from('// author: J\xfcrgen\nrule l { strings: $a = "x" condition: $a }', "latin1"),
  "lead.yar": "rule lead { strings: $a = /.*powershell/ condition: $a }",
  "ok.yar": ruleFor("ok", "needle"),
  "files/sample.txt": "a needle",
};
const PLACES = [
  /a\.yar:1: /,
  /b\.yar:1: /,
  /c\.yar:1: /,
  /c\.yar:2: /,
  /latin\.yar cannot be read: line 1 is/,
];

const scan = (folder: RuleFolder, ...flags: string[]) =>
  microengine([
    ...["scan", "--backend", "yara", "--yara-rules", folder.path, ...flags, "--json"],
    folder.at("files/sample.txt"),
  ]);

/** The metrics of a consumer that waits for Redis. */
async function metricsOf(flags: readonly string[]): Promise<string> {
  const waiting = [
    "--redis-addr",
    "127.0.0.1:1",
    "--wait",
    "600",
    "--http-port",
    "0",
    "--log-format",
    "json",
  ];
  const args = ["src/main.ts", "consumer", ...waiting, ...flags];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: plainEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  leash(child);
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      const { msg, port } = JSON.parse(line) as { readonly msg?: string; readonly port?: number };
      if (msg === "http.listening") return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    }
    throw new Error("the consumer ended");
  } finally {
    child.kill("SIGKILL");
  }
}

describe.concurrent("rules of which some cannot be used", () => {
  it("end the start with all that is wrong in one line, each with file and line", async () => {
    using folder = new RuleFolder(RULES);
    const { code, stdout, stderr } = await scan(folder);
    expect(stderr).toMatch(/^microengine: The YARA rules have \d+ faults: [^\n]+\n$/);
    for (const place of PLACES) expect(stderr).toMatch(place);
    expect(stderr).toContain("--yara-skip-broken (variable YARA_SKIP_BROKEN)");
    expect(stderr).not.toContain("ok.yar");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("are left out when that is asked for: the rest scans, and the log names each", async () => {
    using folder = new RuleFolder(RULES);
    const { code, stdout, stderr } = await scan(folder, "--yara-skip-broken");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "malicious", family: "ok" });
    for (const place of PLACES)
      expect(stderr).toMatch(new RegExp(`Left out of the YARA rules: .*${place.source}`));
    expect(code).toBe(0);
  });

  it("are warned of when a pattern begins with what YARA-X does not match", async () => {
    using folder = new RuleFolder({ "lead.yar": RULES["lead.yar"], "files/sample.txt": "powershell -nop" });
    const { stderr } = await scan(folder);
    expect(stderr).toMatch(/lead\.yar:1: rule lead: YARA-X finds \/\.\*powershell\/ only where/);
  });

  it("are counted in the consumer's metrics", async () => {
    using folder = new RuleFolder(RULES);
    const metrics = await metricsOf(["--backend", "yara", "--yara-rules", folder.path, "--yara-skip-broken"]);
    expect(metrics).toMatch(/^microengine_scanner_value\{backend="yara",name="rules",.*\} 2$/m);
    // Three that do not compile, and a file that cannot be read.
    expect(metrics).toMatch(/^microengine_scanner_value\{backend="yara",name="rules_skipped",.*\} 4$/m);
  });
});

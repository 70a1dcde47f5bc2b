import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { describeBackend } from "../../src/isolation/describe.ts";
import { ScannerWork } from "./scanner-work.ts";

const folder = mkdtempSync(join(tmpdir(), "microengine-exec-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A description around a shell script, both in the same folder. */
function described(script: string, wishes: object = {}): string {
  const program = join(folder, `tool-${++files}.sh`);
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return describedBy({ command: [`./tool-${files}.sh`], exitCodes: { "0": "unknown" }, ...wishes });
}

function describedBy(wishes: object): string {
  const file = join(folder, `tool-${++files}.json`);
  writeFileSync(file, JSON.stringify({ type: "exec", name: "tool", version: "1.0.0", ...wishes }));
  return file;
}

const open = (script: string, wishes: object = {}, limits = {}) =>
  ScannerWork.open(described(script, wishes), {}, limits);
const finding = (expected: object) => ({ kind: "finding", finding: expected });
/** Other tests want the machine too. */
const thrown = (words: string) => ({ kind: "thrown", detail: expect.stringContaining(words) });

/** Whether a process still runs; what waits to be buried by its parent does not. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

afterAll(() => vi.unstubAllEnvs());

// Seldom a program is ended by a SIGKILL whose sender is not known yet: two of four runs of the suite met it, in this file or the
// guides'. Until it is found, what is told of a program is tried again.
describe.concurrent("a program as a backend", { retry: 3 }, () => {
  it("gets the content on standard input and answers by exit code", async () => {
    const exitCodes = { "0": { verdict: "malicious", confidence: 0.9, family: "Bad" }, "1": "unknown" };
    await using tool = await open("grep -q BAD", { exitCodes });
    expect(await tool.scan("something BAD")).toEqual(
      finding({ verdict: "malicious", confidence: 0.9, family: "Bad" }),
    );
    expect(await tool.scan("something good")).toEqual(finding({ verdict: "unknown" }));
    expect(await tool.scan("")).toEqual(finding({ verdict: "unknown" }));
  });

  it("gets content of any size as a file where its command says {path}, and answers in JSON", async () => {
    const script = `file=$(expr "$1" : '--file=\\(.*\\)')
      echo "{\\"verdict\\":\\"suspicious\\",\\"metadata\\":{\\"bytes\\":$(wc -c < "$file")}}"`;
    const wishes = { exitCodes: undefined, answer: {} };
    const file = described(script, wishes);
    const description = { ...JSON.parse(readFileSync(file, "utf8")) } as { command: string[] };
    await using tool = await ScannerWork.open(
      describedBy({ ...description, command: [...description.command, "--file={path}"] }),
    );
    for (const bytes of [0, 10, 3_000_000]) {
      expect(await tool.scan(Buffer.alloc(bytes))).toEqual(
        finding({ verdict: "suspicious", metadata: { bytes } }),
      );
    }
  });

  it("is told hash, types and deadline, runs in a folder of the scan's own, and sees no secret", async () => {
    vi.stubEnv("EXEC_TEST_PASSWORD", "hunter2");
    vi.stubEnv("SCANNER_LICENCE", "for the scanner");
    const script = `
      echo left > "$TMPDIR/left"
      jot() { printf '"%s":"%s",' "$1" "$2"; }
      printf '{"verdict":"benign","metadata":{'
      jot folder "$(pwd)"; jot tmp "$TMPDIR"; jot hash "$ARTIFACT_SHA256"; jot types "$ARTIFACT_TYPES"
      jot kind "$ARTIFACT_KIND"; jot password "$EXEC_TEST_PASSWORD"; jot licence "$SCANNER_LICENCE"
      printf '"deadline":%s}}' "$ARTIFACT_DEADLINE"`;
    await using tool = await open(script, { exitCodes: undefined, answer: {} });
    const outcome = await tool.scan("abc", { types: ["text/x-php", "text/plain"] });
    expect(outcome).toMatchObject(
      finding({
        verdict: "benign",
        metadata: {
          hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          types: "text/x-php,text/plain",
          kind: "file",
          password: "",
          licence: "for the scanner",
        },
      }),
    );
    const {
      folder: ran,
      tmp,
      deadline,
    } = (outcome as { finding: { metadata: Record<string, string> } }).finding.metadata;
    expect(ran).toBe(tmp);
    expect(Number(deadline)).toBeGreaterThan(Date.now());
    expect(existsSync(join(tmp!, "left"))).toBe(false);
  });

  it.each<[what: string, script: string, wishes: object, words: string]>([
    [
      "prints garbage",
      "echo '<html>'",
      { exitCodes: undefined, answer: {} },
      'The answer is not JSON: "<html>".',
    ],
    ["prints nothing", "", { exitCodes: undefined, answer: {} }, "The answer is not JSON: it said nothing."],
    ["ends with a code that means nothing", "echo disk full >&2; exit 3", {}, 'exit code 3: "disk full".'],
    ["fails where an answer is expected", "exit 1", { exitCodes: undefined, answer: {} }, "exit code 1"],
    ["crashes", "kill -SEGV $$", {}, "tool was ended by SIGSEGV"],
    ["prints without end", "exec yes", { maxOutputBytes: 5000 }, "printed more than 5000 bytes"],
  ])("that %s says nothing, and why", async (_, script, wishes, words) => {
    await using tool = await open(script, wishes);
    expect(await tool.scan("x")).toEqual(thrown(words));
    expect(tool.worker.idle).toBe(true);
  });

  it("that disappears says nothing until it is back", async () => {
    const file = described("exit 0");
    await using tool = await ScannerWork.open(file);
    const program = join(
      dirname(file),
      (JSON.parse(readFileSync(file, "utf8")) as { command: [string] }).command[0],
    );
    const script = readFileSync(program);
    rmSync(program);
    expect(await tool.scan("x")).toEqual(thrown("does not start"));
    writeFileSync(program, script, { mode: 0o755 });
    expect(await tool.scan("x")).toEqual(finding({ verdict: "unknown" }));
  });

  it("is killed with its children at the deadline, in a worker that lives on", async ({ expect }) => {
    const pids = join(folder, "hanging");
    await using tool = await open(`sleep 1000 & echo $! $$ > ${pids}; wait`, {}, { graceMs: 5_000 });
    expect(await tool.scan("x", { inMs: 2_500 })).toEqual({ kind: "timeout" });
    expect(tool.worker.idle).toBe(true);
    for (const pid of readFileSync(pids, "utf8").trim().split(" "))
      await expect.poll(() => runs(Number(pid))).toBe(false);
  });

  it("leaves no children behind when it ends", async ({ expect }) => {
    const pids = join(folder, "leaving");
    await using tool = await open(`sleep 1000 & echo $! > ${pids}`);
    expect(await tool.scan("x")).toEqual(finding({ verdict: "unknown" }));
    await expect.poll(() => runs(Number(readFileSync(pids, "utf8")))).toBe(false);
  });

  it("does not outlive a worker that is killed", async ({ expect }) => {
    const pids = join(folder, "orphaned");
    await using tool = await open(`sleep 1000 & echo $! > ${pids}; wait`);
    const scanned = tool.scan("x");
    await expect.poll(() => existsSync(pids) && readFileSync(pids, "utf8")).toMatch(/\d\n/);
    tool.worker.kill();
    expect(await scanned).toMatchObject({ kind: "crashed" });
    await expect.poll(() => runs(Number(readFileSync(pids, "utf8")))).toBe(false);
  });

  it("may be any of the PATH", async () => {
    const exitCodes = { "0": "malicious", "1": "unknown" };
    await using tool = await ScannerWork.open(describedBy({ command: ["grep", "-q", "BAD"], exitCodes }));
    expect(await tool.scan("BAD")).toEqual(finding({ verdict: "malicious" }));
  });
});

describe.concurrent("the description of a program", () => {
  const complaint = (spec: string) => describeBackend(spec).catch((thrown: unknown) => thrown);

  it("names the backend and what it takes, also where the program is not installed", async () => {
    const file = describedBy({ command: ["no-such-program"], exitCodes: {}, accepts: { types: ["text/*"] } });
    expect(await describeBackend(file)).toMatchObject({
      name: "tool",
      version: "1.0.0",
      accepts: { types: ["text/*"] },
    });
  });

  it.each([["no-such-program"], ["./no-such-script.sh"], [folder]])(
    "whose program %s cannot be run stops the consumer",
    async (program) => {
      await expect(
        ScannerWork.open(describedBy({ command: [program], exitCodes: {} })),
      ).rejects.toMatchObject({
        name: "ConfigFault",
        code: "PROGRAM_MISSING",
        message: expect.stringContaining(program.replace("./", "")),
      });
    },
  );

  it("finds what lies beside its description, though it runs elsewhere", async () => {
    writeFileSync(join(folder, "beside.sh"), 'grep -q "$1" && exit 3\n');
    const command = ["sh", "{folder}/beside.sh", "in {folder}"];
    await using tool = await ScannerWork.open(
      describedBy({ command, exitCodes: { "3": "malicious", "1": "unknown" } }),
    );
    expect(await tool.scan(`it is in ${folder}.`)).toMatchObject({ finding: { verdict: "malicious" } });
    expect(await tool.scan("it is in {folder}.")).toMatchObject({ finding: { verdict: "unknown" } });
  });

  it.each([
    ["#!/bin/sh\r", "ends with a carriage return", /^Save it with the line ends of Unix/],
    ["#! /no/such/python3 -u", "there is no /no/such/python3", /^Install it/],
  ])("that begins with %j stops the consumer, and says what to do", async (line, words, hint) => {
    const name = `wrong-${++files}.sh`;
    writeFileSync(join(folder, name), `${line}\necho\n`, { mode: 0o755 });
    await expect(
      ScannerWork.open(describedBy({ command: [`./${name}`], exitCodes: {} })),
    ).rejects.toMatchObject({
      name: "ConfigFault",
      code: "PROGRAM_INTERPRETER",
      message: expect.stringContaining(words),
      hint: expect.stringMatching(hint),
    });
  });

  it("whose program may not be executed stops the consumer, and says what to do", async () => {
    const script = join(folder, "unready.sh");
    writeFileSync(script, "#!/bin/sh\n", { mode: 0o644 });
    await expect(
      ScannerWork.open(describedBy({ command: ["./unready.sh"], exitCodes: {} })),
    ).rejects.toMatchObject({
      name: "ConfigFault",
      code: "PROGRAM_NOT_EXECUTABLE",
      hint: `chmod +x ${script} allows it.`,
    });
  });

  it("names file and field when it is wrong", async () => {
    const file = describedBy({ command: ["true"], exitCodes: { "1": "bad" } });
    expect(await complaint(file)).toMatchObject({
      name: "ConfigFault",
      code: "DESCRIPTION_INVALID",
      message: expect.stringContaining(`${file}: exitCodes.1.verdict is wrong (`),
    });
  });

  it("says what is wrong with a file that is no description at all", async () => {
    const file = join(folder, "broken.json");
    writeFileSync(file, '{"type": "exec",}');
    expect(await complaint(file)).toMatchObject({
      code: "DESCRIPTION_INVALID",
      message: expect.stringContaining(file),
    });
    expect(await complaint(join(folder, "none.json"))).toMatchObject({ code: "DESCRIPTION_UNREADABLE" });
    writeFileSync(file, "[]");
    expect(await complaint(file)).toMatchObject({ code: "DESCRIPTION_INVALID" });
  });
});

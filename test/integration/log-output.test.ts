import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, createReadStream, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const TALKATIVE = "test/fixtures/log/talkative.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-output-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Talker {
  readonly child: ChildProcess;
  /** What stands in the pipe, from when this is first asked for. */
  readonly read: () => Readable;
  readonly close: () => void;
}

/** A child whose stderr is what a log driver or `| tee` gives it. */
function overPipe(env: NodeJS.ProcessEnv): Talker {
  const fifo = join(folder, "stderr");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const child = start(env, writer);
  closeSync(writer);
  return {
    child,
    read: () => createReadStream(fifo, { fd: openSync(fifo, constants.O_RDONLY) }),
    close: () => closeSync(reader),
  };
}

/** A child whose stderr is what systemd or a Node parent gives it. */
function overSocket(env: NodeJS.ProcessEnv): Talker {
  const child = start(env, "pipe");
  return { child, read: () => child.stderr!, close: () => {} };
}

function start(env: NodeJS.ProcessEnv, stderr: number | "pipe"): ChildProcess {
  const child = spawn(process.execPath, [TALKATIVE], {
    stdio: ["ignore", "ignore", stderr, "ipc"],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return child;
}

/** Every line that can be read until the writer has closed its end. */
async function linesOf(stream: Readable): Promise<string[]> {
  const lines: string[] = [];
  await eachLine(stream, (line) => lines.push(line));
  return lines;
}

async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) take(line);
}

const message = async (child: ChildProcess) =>
  ((await once(child, "message")) as [{ port: number; dropped: number }])[0];

describe.each([
  ["a pipe", overPipe],
  ["a socket", overSocket],
])("a process that logs to %s", (_what, over) => {
  it("whose reader stands still goes on and answers /healthz; what was dropped is counted, and told once there is room", async () => {
    const { child, read, close } = over({ LINES: "30000", THEN: "serve" });
    const { port, dropped } = await message(child);
    expect(dropped).toBeGreaterThan(1_000);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain(`microengine_log_lines_dropped_total{role="test"} ${dropped}`);

    const lines: string[] = [];
    const told = Promise.withResolvers<void>();
    const reading = eachLine(read(), (line) => {
      lines.push(line);
      if (line.includes("log.dropped")) told.resolve();
    });
    await told.promise;
    child.send("stop");
    await once(child, "exit");
    close();
    await reading;
    const entries = lines.map((line) => JSON.parse(line));
    const talk = entries.filter(({ msg }) => msg === "talk");
    // The oldest are kept, whole and in order.
    expect(talk.map(({ line }) => line)).toEqual(talk.map((_, index) => index));
    expect(talk).toHaveLength(30_000 - dropped);
    expect(entries.filter(({ msg }) => msg === "log.dropped")).toMatchObject([{ lines: dropped }]);
    expect(entries.filter(({ msg }) => msg === "the.end")).toHaveLength(1);
  });

  it("loses nothing at an orderly exit while its reader reads", async () => {
    const { child, read, close } = over({ LINES: "3000" });
    const [lines] = await Promise.all([linesOf(read()), once(child, "exit").then(close)]);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      ...Array.from({ length: 3_000 }, () => "talk"),
      "the.end",
    ]);
  });

  it("ends although its reader stands still", async () => {
    const { child, close } = over({ LINES: "30000" });
    expect(await once(child, "exit")).toEqual([0, null]);
    close();
  });
});

it("writes text for people the same way", async () => {
  const { child, read } = overSocket({ LINES: "10", FORMAT: "text" });
  const [lines] = await Promise.all([linesOf(read()), once(child, "exit")]);
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toContain("INFO (talkative): the.end");
});

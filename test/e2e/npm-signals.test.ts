import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { leash } from "./leash.ts";
import { plainEnvironment, ROOT } from "./run-process.ts";

/** A consumer on the tests' Redis, run by a real npm; resolves once it takes jobs. */
async function npmRuns(args: (consumer: string) => readonly string[]) {
  const queue = `npm-${process.pid}-${Math.random()}`;
  const consumer = `consumer --log-format json --polyswarmd-addr http://127.0.0.1:1 --queue ${queue}`;
  const npm = spawn("npm", args(consumer), {
    cwd: ROOT,
    env: { ...plainEnvironment(), REDIS_ADDR: process.env.REDIS_ADDR },
    stdio: ["ignore", "ignore", "pipe"],
  });
  leash(npm);
  const told: Record<string, unknown>[] = [];
  const serving = Promise.withResolvers<void>();
  const silent = Promise.withResolvers<void>();
  createInterface({ input: npm.stderr })
    .on("line", (line) => {
      if (!line.startsWith("{")) return;
      const entry = JSON.parse(line) as Record<string, unknown>;
      told.push(entry);
      if (entry.msg === "consumer.serving") serving.resolve();
    })
    // Nobody holds the pipe any more: npm, its shell and node are all gone.
    .on("close", () => silent.resolve());
  await serving.promise;
  return { npm, silent: silent.promise, messages: () => told.map(({ msg }) => msg) };
}

const start = (consumer: string) => ["start", "--silent", "--", ...consumer.split(" ")];
/** As an installed command is run: by a shell that stays between npm and node. */
const call = (consumer: string) => ["exec", "--silent", "--call", `node src/main.ts ${consumer}`];

describe("a consumer that npm runs", () => {
  it("stops in order when npm is sent SIGTERM, and npm waits for it", async () => {
    const { npm, silent, messages } = await npmRuns(start);
    npm.kill("SIGTERM");
    expect(await once(npm, "exit")).toEqual([0, null]);
    await silent;
    expect(messages()).toContain("consumer.stopped");
    expect(messages()).not.toContain("process.orphaned");
  });

  it("stops in order when npm is killed and passes nothing on", async () => {
    const { npm, silent, messages } = await npmRuns(start);
    npm.kill("SIGKILL");
    await silent;
    expect(messages()).toEqual(expect.arrayContaining(["process.orphaned", "consumer.stopped"]));
  });

  it("stops in order when the signal ends npm and its shell alone", async () => {
    const { npm, silent, messages } = await npmRuns(call);
    npm.kill("SIGTERM");
    await silent;
    expect(messages()).toEqual(expect.arrayContaining(["process.orphaned", "consumer.stopped"]));
  });
});

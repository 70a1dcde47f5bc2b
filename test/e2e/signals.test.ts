import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { SIMPLE_SCANNER } from "./engine.ts";
import { leash } from "./leash.ts";
import { plainEnvironment, ROOT } from "./run-process.ts";

/** Starts a consumer on the tests' Redis; its log entries come as objects. */
function startConsumer(env: NodeJS.ProcessEnv = {}) {
  const options = [
    "--queue",
    `signals-${process.pid}`,
    "--log-format",
    "json",
    "--polyswarmd-addr",
    "http://127.0.0.1:1",
  ];
  const child = spawn(process.execPath, ["src/main.ts", "consumer", ...options], {
    cwd: ROOT,
    env: { ...plainEnvironment(), REDIS_ADDR: process.env.REDIS_ADDR, ...SIMPLE_SCANNER, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  leash(child);
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const entry = async (message: string): Promise<Record<string, unknown>> => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const fields = JSON.parse(line.value) as Record<string, unknown>;
      if (fields.msg === message) return fields;
    }
    throw new Error(`the consumer ended without ${message}`);
  };
  return { child, entry };
}

it("a consumer serves health and metrics where its log says, and ends well when asked to", async () => {
  const { child, entry } = startConsumer();
  const { port } = await entry("http.listening");
  const live = await fetch(`http://127.0.0.1:${port}/healthz`);
  expect(live.status).toBe(200);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain("microengine_answers_total");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

it("a consumer opens no debugger to a scanner that signals it", async () => {
  const { child, entry } = startConsumer();
  await entry("consumer.serving");
  child.kill("SIGUSR1");
  child.kill("SIGTERM");
  // "Debugger listening on …" would be no entry, and fail here.
  await entry("consumer.stopped");
});

it("a consumer whose scanner takes long to set up says so, and ends at once when asked to", async () => {
  const { child, entry } = startConsumer({ BACKEND: "test/fixtures/scanners/setup-hangs.ts" });
  expect(await entry("scanner.starting")).toMatchObject({ backend: expect.stringMatching("setup-hangs.ts") });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

it("a consumer that still waits for Redis ends at once when asked to", async () => {
  const { child, entry } = startConsumer({ REDIS_ADDR: "127.0.0.1:1", WAIT: "60" });
  await entry("redis.waiting");
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
});

it("a port that is taken is one line and exit code 2", async () => {
  const first = startConsumer();
  const { port } = await first.entry("http.listening");
  const second = startConsumer({ HTTP_PORT: String(port), LOG_LEVEL: "silent" });
  let told = "";
  second.child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const [code] = await once(second.child, "close");
  first.child.kill("SIGTERM");
  await once(first.child, "exit");
  expect(told).toMatch(/^microengine: Cannot serve [^\n]*--http-port \(variable HTTP_PORT\)[^\n]*\n$/);
  expect(code).toBe(2);
});

import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mainModule } from "../../src/config/main-module.ts";
import type { ScanAnswer } from "../../src/domain/scan.ts";
import { EmbeddedMetrics } from "../../src/observe/embedded-metrics.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createRegistry } from "../../src/observe/metrics.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import type { ScanQueue } from "../../src/queue/port.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { content, type Gateway, openGateway } from "./consumer-gateway.ts";
import { scanJob } from "./consumer-work.ts";

const PUPPET = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));
/** Of a job, where a process may have to start before it is scanned. */
const LONG_MS = 60_000;
const log = createLogger({ level: "silent", format: "json", name: "test" });

type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A consumer as its own process; `logged` resolves with the first entry of a name, past or to come. */
class ConsumerProcess implements Disposable {
  readonly child: ChildProcess;
  readonly #lines: LogLine[] = [];
  readonly #waiting: { name: string; resolve: (line: LogLine) => void }[] = [];

  constructor(flags: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = fork(mainModule(), ["consumer", "--log-format", "json", "--log", "debug", ...flags], {
      execArgv: [],
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    createInterface({ input: this.child.stderr! }).on("line", (text) => this.#hear(text));
  }

  logged(name: string): Promise<LogLine> {
    const known = this.#lines.find(({ msg }) => msg === name);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  /** Ends it, however the test went. */
  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }

  #hear(text: string): void {
    if (!text.startsWith("{")) return;
    const line = JSON.parse(text) as LogLine;
    this.#lines.push(line);
    for (const { name, resolve } of this.#waiting) if (name === line.msg) resolve(line);
  }
}

function answerTo(queue: ScanQueue): Promise<ScanAnswer> {
  return new Promise((resolve) => queue.onAnswer(resolve));
}

describe("a consumer process", () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await openGateway({
      QmSay: content("malicious"),
      QmHeed: content("heed"),
      QmHang: content("hang"),
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const flags = () => ["--polyswarmd-addr", gateway.base, "--backend", PUPPET, "--scan-limit", "1"];

  it("answers the jobs of the producer that started it, and leaves when that is done with it", async () => {
    let exited: Promise<unknown> = Promise.resolve();
    const spawn = (): ChildProcess => {
      const { child } = new ConsumerProcess([...flags(), "--embedded"]);
      exited = once(child, "exit");
      return child;
    };
    await using queue = openEmbeddedQueue({ spawn, consumers: 1, log });
    const answered = answerTo(queue);
    const job = scanJob({ uri: "QmSay", inMs: LONG_MS });
    await queue.dispatch([job]);
    expect(await answered).toMatchObject({ jobId: job.id, verdict: "malicious", family: "Puppet" });
    await queue[Symbol.asyncDispose]();
    expect(await exited).toEqual([0, null]);
  });

  it("says to the producer that started it what it counts", async () => {
    using consumer = new ConsumerProcess([
      "--embedded",
      "--backend",
      "eicar",
      "--polyswarmd-addr",
      gateway.base,
    ]);
    const metrics = new EmbeddedMetrics();
    metrics.follow(consumer.child);
    for await (const [message] of on(consumer.child, "message"))
      if ((message as { kind?: string }).kind === "metrics") break;
    const text = await metrics.text(createRegistry("producer"));
    expect(text).toMatch(/^microengine_backend_up\{.*backend="eicar".*\} 1$/m);
  });

  it("answers jobs through Redis, says how it is, and finishes its work when it is asked to stop", async () => {
    await using redis = await startRedis();
    using consumer = new ConsumerProcess(
      [...flags(), "--redis-addr", redis.address, "--queue", "main-test"],
      {
        KEYFILE: "/run/secrets/keyfile",
        PASSWORD: "hunter2",
      },
    );
    expect(await consumer.logged("consumer.wallet-secrets-dropped")).toMatchObject({
      names: ["KEYFILE", "PASSWORD"],
    });
    await consumer.logged("consumer.serving");
    const { port } = await consumer.logged("http.listening");
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ok: true }]);

    const address = parseRedisAddress(redis.address);
    const terms = { address, queue: "main-test", backends: ["puppet"], waitMs: 0, log };
    await using queue = await openBullmqQueue(terms);
    const first = answerTo(queue);
    await queue.dispatch([scanJob({ uri: "QmSay", inMs: LONG_MS })]);
    expect(await first).toMatchObject({ verdict: "malicious" });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/microengine_answers_total\{backend="puppet",verdict="malicious".*\} 1/);

    const last = answerTo(queue);
    const fetched = gateway.requests.length;
    const job = scanJob({ uri: "QmHeed", inMs: 1500 });
    await queue.dispatch([job]);
    await expect.poll(() => gateway.requests.length).toBeGreaterThan(fetched);
    const exited = once(consumer.child, "exit");
    consumer.child.kill("SIGTERM");
    expect(await last).toMatchObject({ jobId: job.id });
    expect(await exited).toEqual([0, null]);
  });

  it("hands back what it cannot finish in the time it is given to stop", async () => {
    await using redis = await startRedis();
    const ours = ["--redis-addr", redis.address, "--queue", "main-test"];
    using consumer = new ConsumerProcess([...flags(), ...ours, "--stop-timeout", "0"]);
    await consumer.logged("consumer.serving");
    const address = parseRedisAddress(redis.address);
    const terms = { address, queue: "main-test", backends: ["puppet"], waitMs: 0, log };
    await using queue = await openBullmqQueue(terms);
    const fetched = gateway.requests.length;
    await queue.dispatch([scanJob({ uri: "QmHang", inMs: LONG_MS })]);
    await expect.poll(() => gateway.requests.length).toBeGreaterThan(fetched);
    expect(await queue.backlog()).toEqual({ puppet: 0 });
    const exited = once(consumer.child, "exit");
    consumer.child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(await queue.backlog()).toEqual({ puppet: 1 });
  });

  it("stops at once when it is asked to while it waits for Redis", async () => {
    using consumer = new ConsumerProcess([...flags(), "--redis-addr", "127.0.0.1:1"]);
    await consumer.logged("redis.waiting");
    const exited = once(consumer.child, "exit");
    consumer.child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });
});

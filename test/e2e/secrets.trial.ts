import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { openKeystore } from "../../src/wallet/keystore.ts";
import { freePort, startRedis } from "../fixtures/queue/redis-server.ts";
import { temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";
import { plainEnvironment, ROOT } from "./run-process.ts";

const FORMATS = ["json", "text"] as const;

/** A bid strategy that brings its producer down, with everything in its memory. */
const ERRING = `export const bidStrategy = {
  name: "erring",
  bid: () => void process.nextTick(() => { throw new Error("the operator erred"); }),
};`;

/** A process of ours with everything it writes. */
class Spoken implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Standard output and standard error. */
  said = "";
  readonly ended: Promise<number | null>;
  readonly #listeners = new Set<() => void>();

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, ["src/main.ts", ...args, "--log", "trace"], {
      cwd: ROOT,
      env: { ...plainEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
        for (const listener of this.#listeners) listener();
      });
    }
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    void this.ended.then(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  async says(event: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.said.includes(event)) resolve();
      else if (this.child.exitCode !== null) reject(new Error(`ended before ${event}: ${this.said}`));
    };
    this.#listeners.add(look);
    look();
    return promise.finally(() => this.#listeners.delete(look));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}

/** Process ids of all descendants. */
function family(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
  return children.flatMap((child) => [child, ...family(child)]);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1]);
  } catch {
    return undefined; // gone meanwhile
  }
}

const ofProcess = (pid: number, what: "cmdline" | "comm" | "environ"): string =>
  readFileSync(`/proc/${pid}/${what}`, "latin1");

/** Everything in a folder, as bytes that can be searched like text. */
const contentOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");

/** Every form in which 32 bytes get into a log by accident. */
const formsOf = (key: Uint8Array): string[] => [
  Buffer.from(key).toString("hex"),
  Buffer.from(key).toString("hex").toUpperCase(),
  Buffer.from(key).toString("base64").slice(0, 40),
  Buffer.from(key).toString("latin1"),
  key.subarray(0, 8).join(","),
  key.subarray(0, 8).join(", "),
];

/** Every command that reaches a Redis, with all it carries. */
async function eavesdrop(port: number, password: string) {
  const redis = new Redis({ port, password });
  const monitor = await redis.monitor();
  const heard: string[] = [];
  monitor.on("monitor", (_time: string, command: string[]) => heard.push(command.join(" ")));
  return {
    heard,
    [Symbol.dispose]() {
      monitor.disconnect();
      redis.disconnect();
    },
  };
}

/** A marketplace that wants keys, a Redis that wants a password, and everything that nobody else may learn of. */
async function openScene(format: (typeof FORMATS)[number]) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const mark = randomBytes(6).toString("hex");
  const named = (name: string) => `${name}-${mark}`;
  const [apiKey, queueSecret, redisPassword] = [named("apikey"), named("queuesecret"), named("redispass")];
  const [wrongKey, wrongPassword] = [named("wrongkey"), named("wrongpassword")];
  const sandbox = stack.use(await openMarket(folder, { apiKeys: [apiKey] }));
  const keyfile = join(folder, "wallet", "keyfile");
  const password = readFileSync(join(folder, "wallet", "password"), "utf8");
  const { privateKey } = await openKeystore(keyfile, password);
  const redis = stack.use(await startRedis("--requirepass", redisPassword));
  const secrets = [
    ...[password, apiKey, queueSecret, redisPassword, wrongKey, wrongPassword],
    ...formsOf(privateKey),
  ];
  const env = {
    POLYSWARMD_ADDR: sandbox.url,
    API_KEY: apiKey,
    ALLOW_KEY_OVER_HTTP: "yes",
    LOG_FORMAT: format,
    KEYFILE: keyfile,
    PASSWORD: password,
    QUEUE_SECRET: queueSecret,
    REDIS_ADDR: `redis://:${redisPassword}@${redis.address}`,
    DATA_DIR: join(folder, "data"),
  };
  return {
    folder,
    sandbox,
    redis,
    redisPassword,
    wrongKey,
    wrongPassword,
    env,
    bounty: () => sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 12, reward: REWARD }),
    leaks: (text: string) => secrets.filter((secret) => text.includes(secret)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.concurrent("no secret leaves the process that has it", () => {
  it.each(FORMATS)("through the whole life of a bounty, logged as %s", async (format) => {
    await using scene = await openScene(format);
    using wire = await eavesdrop(Number(scene.redis.address.split(":")[1]), scene.redisPassword);
    const [port, consumerPort] = [await freePort(), await freePort()];
    await using consumer = new Spoken(["consumer", "--http-port", String(consumerPort)], scene.env);
    await consumer.says("consumer.serving");
    expect(consumer.said).toContain("consumer.wallet-secrets-dropped");
    await using producer = new Spoken(["producer", "--http-port", String(port)], scene.env);
    await producer.says("producer.ready");
    await scene.bounty();
    await producer.says("assertion.posted");

    const heard: string[] = [];
    for (const at of [port, consumerPort]) {
      for (const path of ["metrics", "readyz", "healthz", "nowhere"]) {
        heard.push(await (await fetch(`http://127.0.0.1:${at}/${path}`)).text());
      }
    }
    const workers = family(consumer.child.pid!);
    expect(workers).not.toEqual([]);
    for (const pid of [producer.child.pid!, consumer.child.pid!, ...workers]) {
      heard.push(ofProcess(pid, "cmdline"), ofProcess(pid, "comm"));
    }
    for (const pid of workers) {
      expect(ofProcess(pid, "environ")).toMatch(/(^|\0)PATH=/);
      heard.push(ofProcess(pid, "environ"));
    }
    await producer.says("assertion.settled");
    producer.child.kill("SIGTERM");
    consumer.child.kill("SIGTERM");
    expect(await Promise.all([producer.ended, consumer.ended])).toEqual([0, 0]);

    heard.push(producer.said, consumer.said, contentOf(join(scene.folder, "data")), ...wire.heard);
    expect(heard.flatMap(scene.leaks)).toEqual([]);
    expect(wire.heard.some((command) => command.includes("sealed"))).toBe(true);
  });

  it("when it is refused, cut off or brought down", async () => {
    await using scene = await openScene("text");
    const { redis, redisPassword, wrongKey, wrongPassword } = scene;
    const failing: [says: RegExp, args: string[], more: NodeJS.ProcessEnv][] = [
      [/API key/, ["producer"], { API_KEY: wrongKey }],
      [/secrets\.visible[\s\S]*password does not open/, ["producer", "--password", wrongPassword], {}],
      [/No Redis answers/, ["producer"], { REDIS_ADDR: `redis://:${redisPassword}@127.0.0.1:1` }],
      [/No Redis answers/, ["consumer"], { REDIS_ADDR: `redis://:${redisPassword}@127.0.0.1:1` }],
      [/does not let us in/, ["consumer"], { REDIS_ADDR: `redis://:${wrongPassword}@${redis.address}` }],
      [/Redis address is malformed/, ["consumer"], { REDIS_ADDR: `redis://:${redisPassword}@/x` }],
    ];
    for (const [index, [says, args, more]] of failing.entries()) {
      await using failed = new Spoken([...args, "--http-port", "0"], {
        ...scene.env,
        LOG_FORMAT: FORMATS[index % 2],
        WAIT: "0",
        ...more,
      });
      expect(await failed.ended).toBe(2);
      expect(failed.said).toMatch(says);
      expect(scene.leaks(failed.said)).toEqual([]);
    }

    const told = ["--password", scene.env.PASSWORD, "--api-key", scene.env.API_KEY, "--wait", "60"];
    {
      await using waiting = new Spoken(["producer", ...told], { ...scene.env, REDIS_ADDR: "127.0.0.1:1" });
      await waiting.says("redis.waiting");
      expect(waiting.said).toContain("secrets.visible");
      expect(scene.leaks(ofProcess(waiting.child.pid!, "cmdline"))).toEqual([]);
    }

    const erring = join(scene.folder, "erring.mjs");
    writeFileSync(erring, ERRING);
    const flags = ["--embedded", "1", "--bid-strategy", erring, "--http-port", "0"];
    await using crashing = new Spoken(["producer", ...flags], scene.env);
    await Promise.all([crashing.says("producer.ready"), crashing.says("consumer.serving")]);
    const children = family(crashing.child.pid!).map((pid) => ofProcess(pid, "environ"));
    expect(children).not.toEqual([]);
    // The gateway's key is a consumer's to have.
    expect(children.flatMap(scene.leaks).filter((secret) => secret !== scene.env.API_KEY)).toEqual([]);
    await scene.bounty();
    expect(await crashing.ended).toBe(1);
    expect(crashing.said).toContain("the operator erred");
    expect(scene.leaks(crashing.said)).toEqual([]);
  });
});

/**
 * Runs a command with a Redis to talk to: `node scripts/with-redis.ts COMMAND ARGS...`.
 *
 * The Redis is that of REDIS_ADDR when somebody answers there. Else it is a private `redis-server`: loopback, a free port,
 * nothing kept, gone when the command is. Else, for root on Debian and its kin, the package is installed first. Else there
 * is one line that says what to install, and exit code 2. The command finds the address in REDIS_ADDR, gets the signals
 * sent to this process, and its exit code is ours.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

const ANSWER_MS = 2_000;
const START_ATTEMPTS = 5;
const say = (line: string) => process.stderr.write(`with-redis: ${line}\n`);

interface Redis extends AsyncDisposable {
  readonly address: string;
}

/** Whether a Redis answers at `HOST:PORT` or a redis:// URL, even if only to ask for a password. */
async function answers(address: string): Promise<boolean> {
  const parsed = URL.parse(address.includes("://") ? address : `redis://${address}`);
  if (parsed === null || parsed.hostname === "") return false;
  // A TLS handshake is more than this check needs to understand: trust a rediss:// URL as it is.
  if (parsed.protocol === "rediss:") return true;
  const socket = connect({ host: parsed.hostname, port: Number(parsed.port || 6379) });
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    await once(socket, "connect", { signal });
    socket.write("PING\r\n");
    const [reply] = (await once(socket, "data", { signal })) as [Buffer];
    return /^[+-]/.test(reply.toString("latin1"));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const hasRedisServer = () => spawnSync("redis-server", ["--version"]).status === 0;

/** Starts a Redis that forgets everything. Throws when it does not come up, with what it said last. */
async function startRedis(): Promise<Redis> {
  let lastWords = "";
  // Somebody else may take the port between finding it free and using it.
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "microengine-redis-"));
    const memoryOnly = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
    const server = spawn(
      "redis-server",
      ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...memoryOnly],
      // A process group of its own: Ctrl-C on the terminal must not take Redis away before the command ended.
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const stop = async () => {
      await stopped(server);
      await rm(folder, { recursive: true, force: true });
    };
    for await (const line of createInterface({ input: server.stdout })) {
      lastWords = line;
      if (!line.includes("Ready to accept connections")) continue;
      server.stdout.resume();
      server.stderr.resume();
      return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
    }
    await stop();
  }
  throw new Error(`redis-server does not start: ${lastWords}`);
}

async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  // Nothing in it is worth a graceful end.
  server.kill("SIGKILL");
  await exit;
}

/** Returns whether `redis-server` is there afterwards. */
function installRedis(): boolean {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  say("no redis-server on the PATH: installing it (apt-get update, apt-get install redis-server)");
  // RUNLEVEL=1 keeps the package from starting a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const aptGet = (...args: string[]) =>
    spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  // A mirror that is out of reach must not stop an install from those that are not.
  aptGet("update", "-qq");
  return aptGet("install", "-y", "-qq", "--no-install-recommends", "redis-server") && hasRedisServer();
}

async function findRedis(): Promise<Redis | undefined> {
  const given = process.env.REDIS_ADDR ?? "";
  if (given !== "") {
    if (await answers(given)) return { address: given, async [Symbol.asyncDispose]() {} };
    say("nobody answers at REDIS_ADDR; starting a private Redis");
  }
  return hasRedisServer() || installRedis() ? startRedis() : undefined;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the command and returns its exit code, 128 + n when signal n ended it. */
async function run(command: string, args: readonly string[], redis: Redis): Promise<number> {
  const path = [join(import.meta.dirname, "../node_modules/.bin"), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, REDIS_ADDR: redis.address };
  const child = spawn(command, args, { stdio: "inherit", env });
  for (const signal of SIGNALS) {
    // The terminal sends Ctrl-C to the command itself; passing it on would make it two.
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
  }
  try {
    return exitCode(...((await once(child, "exit")) as [number | null, NodeJS.Signals | null]));
  } catch (error) {
    say(`cannot run ${command}: ${error instanceof Error ? error.message : error}`);
    return 127;
  }
}

const exitCode = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal]);

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined) {
    say("what shall I run? Usage: node scripts/with-redis.ts COMMAND ARGS...");
    return 2;
  }
  // Heard from the first moment on: a Redis that just started must not outlive us.
  let early: NodeJS.Signals | undefined;
  for (const signal of SIGNALS) process.on(signal, () => (early ??= signal));
  await using redis = await findRedis();
  if (early !== undefined) return exitCode(null, early);
  if (redis === undefined) {
    say("no Redis: install redis-server, or set REDIS_ADDR to one that runs (HOST:PORT)");
    return 2;
  }
  return await run(command, args, redis);
}

process.exitCode = await main(process.argv.slice(2));

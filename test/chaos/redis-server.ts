import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** A Redis that keeps nothing, always on the same port, so that it can be killed and come back empty. */
export class RedisServer implements AsyncDisposable {
  readonly #port: number;
  #process: ChildProcess;

  private constructor(port: number, server: ChildProcess) {
    this.#port = port;
    this.#process = server;
  }

  static async open(): Promise<RedisServer> {
    const port = await freePort();
    return new RedisServer(port, await start(port));
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  async restart(): Promise<void> {
    this.#process = await start(this.#port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function start(port: number): Promise<ChildProcess> {
  const where = ["--port", String(port), "--bind", "127.0.0.1"];
  const memoryOnly = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
  const server = spawn("redis-server", [...where, ...memoryOnly], { stdio: ["ignore", "pipe", "ignore"] });
  const said: string[] = [];
  for await (const line of createInterface({ input: server.stdout })) {
    said.push(line);
    if (!line.includes("Ready to accept connections")) continue;
    server.stdout.resume();
    return server;
  }
  throw new Error(`redis-server does not start: ${said.at(-1)}`);
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

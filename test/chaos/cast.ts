import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineProcess, producerFlags } from "../e2e/engine.ts";
import { Line } from "./line.ts";
import type { Blow } from "./plan.ts";
import { RedisServer } from "./redis-server.ts";
import { STALLS } from "./stalls.ts";
import type { Change } from "./uptime.ts";

const SCANNER = "test/fixtures/scanners/deliberate.ts";
const TRAP = fileURLToPath(new URL("trap.ts", import.meta.url));
const STALL_WATCH = fileURLToPath(new URL("stall-watch.ts", import.meta.url));

/** Whose being up an answer needs; see referee.ts. */
export const NEEDED = ["producer", "consumer", "redis", "network"] as const;
type Needed = (typeof NEEDED)[number];

export interface CastOptions {
  readonly gateway: string;
  /** Holds `wallet/` already; gets `data/` and the logs. */
  readonly folder: string;
  /**
   * Consumers over Redis; 0 has one embedded in the producer, which needs no Redis then, and no lease that a successor
   * would have to wait for.
   */
  readonly consumers: number;
  /** The newest block. */
  readonly head: () => number;
}

/** What ends a producer; see trap.ts. */
export interface Trap {
  readonly blow: Blow;
  readonly arming: "armed" | "disarmed";
}

/** Someone's end that nobody brought about. */
export interface Fall {
  readonly who: string;
  readonly code: number | null;
  readonly said: string;
}

/**
 * The processes of one engine, each of which can be brought down and up again, and the account of who was up when. All
 * logs go to one file each, whatever process wrote them.
 */
export class Cast implements AsyncDisposable {
  readonly changes: Change[] = [];
  /** Producers that ended by themselves, as they never should; one that finds its lease held is among them. */
  readonly falls: Fall[] = [];
  readonly #options: CastOptions;
  readonly #redis: RedisServer;
  readonly #line: Line;
  readonly #consumers: (EngineProcess | undefined)[] = [];
  #serving = 0;
  #producer: EngineProcess | undefined;
  #curtain = false;

  private constructor(options: CastOptions, redis: RedisServer, line: Line) {
    this.#options = options;
    this.#redis = redis;
    this.#line = line;
  }

  /** Resolves when all but the producer are on stage. */
  static async open(options: CastOptions): Promise<Cast> {
    const [redis, line] = await Promise.all([RedisServer.open(), Line.open(options.gateway)]);
    const cast = new Cast(options, redis, line);
    cast.#mark("redis", true);
    cast.#mark("network", true);
    const ready = Array.from({ length: options.consumers }, (_, index) => cast.startConsumer(index));
    await Promise.all(ready);
    return cast;
  }

  get producer(): EngineProcess {
    if (this.#producer === undefined) throw new Error("no producer is on stage");
    return this.#producer;
  }

  /**
   * Resolves when the producer was killed, by the trap or by somebody else. One that falls by itself is noted and
   * started again, with the same trap.
   */
  async startProducer(trap?: Trap): Promise<void> {
    while ((await this.#runProducer(trap)) !== null && !this.#curtain);
  }

  async #runProducer(trap: Trap | undefined): Promise<number | null> {
    const flags = [...producerFlags(this.#line.url, this.#options.folder), ...this.#flags()];
    const producer = new EngineProcess(flags, {
      NODE_OPTIONS: `--import=${STALL_WATCH} --import=${TRAP}`,
      CHAOS_STALLS: join(this.#options.folder, STALLS),
      ...(trap === undefined ? {} : trapped(trap)),
    });
    this.#producer = producer;
    let wasReady = false;
    void producer.told("producer.ready").then(
      () => {
        wasReady = true;
        this.#mark("producer", true);
      },
      () => undefined,
    );
    if (this.#isEmbedded) void this.#serve(producer);
    const code = await producer.ended;
    if (wasReady) this.#mark("producer", false);
    this.#keep("producer", producer);
    if (code !== null && !this.#curtain)
      this.falls.push({ who: "producer", code, said: lastWords(producer) });
    return code;
  }

  /** Resolves when it serves, or ended before. */
  async startConsumer(index: number): Promise<void> {
    const consumer = new EngineProcess(["consumer", "--polyswarmd-addr", this.#line.url, ...this.#flags()]);
    this.#consumers[index] = consumer;
    void consumer.ended.then((code) => {
      this.#keep(`consumer-${index}`, consumer);
      if (code !== null && !this.#curtain) {
        this.falls.push({ who: `consumer ${index}`, code, said: lastWords(consumer) });
      }
    });
    await this.#serve(consumer);
  }

  async killConsumer(index: number): Promise<void> {
    await this.#consumers[index]?.kill("SIGKILL");
  }

  async killRedis(): Promise<void> {
    this.#mark("redis", false);
    await this.#redis.kill();
  }

  async restartRedis(): Promise<void> {
    await this.#redis.restart();
    this.#mark("redis", true);
  }

  cutLine(manner: Blow["manner"]): void {
    this.#mark("network", false);
    this.#line.cut(manner);
  }

  mendLine(): void {
    this.#line.mend();
    this.#mark("network", true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#curtain = true;
    await this.#producer?.kill("SIGTERM");
    await Promise.all(this.#consumers.map((consumer) => consumer?.kill("SIGTERM")));
    await this.#line[Symbol.asyncDispose]();
    await this.#redis[Symbol.asyncDispose]();
  }

  #flags(): readonly string[] {
    const queue = this.#isEmbedded
      ? ["--embedded", "1"]
      : ["--redis-addr", this.#redis.address, "--queue", "chaos"];
    return [...queue, "--backend", SCANNER];
  }

  get #isEmbedded(): boolean {
    return this.#options.consumers === 0;
  }

  /** Counts on a process that serves scans, from when it says so to its end. Resolves at the first of both. */
  async #serve(process: EngineProcess): Promise<void> {
    try {
      await process.told("consumer.serving");
    } catch {
      return;
    }
    this.#countServing(1);
    void process.ended.then(() => this.#countServing(-1));
  }

  #countServing(change: 1 | -1): void {
    const before = this.#serving;
    this.#serving += change;
    if ((before === 0) !== (this.#serving === 0)) this.#mark("consumer", this.#serving > 0);
  }

  #mark(name: Needed, isUp: boolean): void {
    this.changes.push({ name, isUp, block: this.#options.head() });
  }

  #keep(name: string, { entries, text }: EngineProcess): void {
    const lines = [...entries.map((entry) => JSON.stringify(entry)), ...text];
    appendFileSync(join(this.#options.folder, `${name}.log`), lines.map((line) => `${line}\n`).join(""));
  }
}

const trapped = ({ blow, arming }: Trap): NodeJS.ProcessEnv => ({
  CHAOS_TRAP: `${blow.state}:${blow.delayMs}:${arming}`,
});

const lastWords = ({ text, entries }: EngineProcess): string =>
  text.at(-1) ?? JSON.stringify(entries.at(-1) ?? "nothing");

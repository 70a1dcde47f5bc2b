import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { mainModule } from "../config/main-module.ts";
import { Fault } from "../domain/fault.ts";
import { readTold, type Told } from "./board.ts";

interface ProducerProcessOptions {
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** How much it tells; the demo itself needs all from `info` on. */
  readonly level: "trace" | "debug" | "info";
  readonly onTold: (told: Told) => void;
  /** What the producer says that is not an entry of its log. */
  readonly onText: (text: string) => void;
}

/**
 * A producer in a process of its own, started as an operator starts it, so that the wallet is as alone in the demo as
 * it is on a server.
 */
export class ProducerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #ready = Promise.withResolvers<void>();

  constructor({ flags, env, level, onTold, onText }: ProducerProcessOptions) {
    const args = [
      ...process.execArgv,
      mainModule(),
      "producer",
      ...flags,
      "--log",
      level,
      "--log-format",
      "json",
    ];
    this.#child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#exit = once(this.#child, "exit");
    this.#ready.promise.catch(() => undefined);
    const last: string[] = [];
    createInterface({ input: this.#child.stderr! }).on("line", (text) => {
      const told = readTold(text);
      if (told === undefined) {
        last.push(text);
        onText(text);
        return;
      }
      if (told.msg === "producer.ready") this.#ready.resolve();
      onTold(told);
    });
    void this.#exit.then(() =>
      this.#ready.reject(
        new Fault("DEMO_PRODUCER_ENDED", `The producer ended: ${last.at(-1) ?? "no word why"}`),
      ),
    );
  }

  /** Resolves when it listens; rejects when it ended before. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Rejects when the producer ends by itself. */
  async watch(): Promise<never> {
    await this.#exit;
    throw new Fault("DEMO_PRODUCER_ENDED", "The producer ended before the demo did.");
  }

  /** Asks it to stop and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exit;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { leash } from "./leash.ts";
import { plainEnvironment, ROOT } from "./run-process.ts";

/** An entry of a process's log: its event name and facts. */
export type Entry = { readonly msg: string } & Readonly<Record<string, unknown>>;

/** One of our processes, started by its command line, and what it tells. It does not outlive the test that started it. */
export class EngineProcess implements AsyncDisposable {
  readonly entries: Entry[] = [];
  /** Whatever it wrote that is not an entry of the log. */
  readonly text: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #listeners = new Set<() => void>();

  /**
   * `detached` puts it into a process group of its own, as a terminal does. It ends with the test that started it, unless
   * it `outlivesTest`; then it is for an `afterAll` to end it.
   */
  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    options: { readonly detached?: boolean; readonly outlivesTest?: boolean } = {},
  ) {
    this.#child = spawn(
      process.execPath,
      ["src/main.ts", ...args, "--log", "debug", "--log-format", "json"],
      {
        cwd: ROOT,
        env: { ...plainEnvironment(), ...env },
        stdio: ["ignore", "ignore", "pipe"],
        detached: options.detached ?? false,
      },
    );
    leash(this.#child, options);
    this.#exit = once(this.#child, "exit").then(([code]) => code as number | null);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      try {
        this.entries.push(JSON.parse(line));
      } catch {
        this.text.push(line);
      }
      for (const listener of this.#listeners) listener();
    });
    void this.#exit.then(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** The first `count` entries that fit, as soon as they are there. Rejects when the process ends before. */
  async told(
    msg: string,
    count = 1,
    fits: (entry: Entry) => boolean = () => true,
  ): Promise<readonly Entry[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Entry[]>();
    const look = (): void => {
      const found = this.entries.filter((entry) => entry.msg === msg && fits(entry));
      if (found.length >= count) resolve(found.slice(0, count));
      else if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error(`ended before ${msg}: ${this.text.join(" ")}`));
      }
    };
    this.#listeners.add(look);
    look();
    return promise.finally(() => this.#listeners.delete(look));
  }

  /** Resolves with the exit code when it is gone; null when a signal ended it. */
  get ended(): Promise<number | null> {
    return this.#exit;
  }

  /** Sends a signal that it is meant to survive. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exit;
  }

  /** What Ctrl-C in a terminal does: the signal goes to the process and all its children. */
  async killGroup(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(-this.#child.pid!, signal);
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
  }
}

/** For consumers to which no two jobs come at the same time: with this they start no process for a second one. */
export const ONE_SCAN = { SCAN_LIMIT: "1" } as const;
/** For consumers whose scanner does not matter. That of the default starts twice, the second time within bounds. */
export const SIMPLE_SCANNER = {
  ...ONE_SCAN,
  BACKEND: fileURLToPath(new URL("../fixtures/scanners/simple.ts", import.meta.url)),
} as const;

/** A folder that is gone after the test. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "microengine-e2e-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Flags of a producer that works in `folder` for the sandbox's wallet. */
export const producerFlags = (url: string, folder: string): readonly string[] => [
  "producer",
  ...["--polyswarmd-addr", url, "--keyfile", join(folder, "wallet", "keyfile")],
  ...["--password-file", join(folder, "wallet", "password"), "--data-dir", join(folder, "data")],
  ...["--http-port", "0"],
];

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { ConfigFault, Fault } from "../../domain/fault.ts";

/** A local EVM chain in a process of its own. Disposing of it ends the process. */
interface Anvil extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process is gone, wanted or not. */
  readonly ended: Promise<void>;
}

interface AnvilOptions {
  readonly chainId: number;
  readonly blockTimeMs: number;
  /** Unlocked accounts with ether; the same addresses every time. */
  readonly accounts: number;
  /** 0 takes any free port. */
  readonly port: number;
}

const START_LIMIT_MS = 20_000;
/** Blocks whose state stays readable, which is how far back a revert can be explained. */
const KEPT_STATES = 512;
// The gateway asks for up to 50,000,000 gas a transaction; a block must hold many of them.
const BLOCK_GAS = 10_000_000_000;

/**
 * Starts anvil on 127.0.0.1 with free gas and no limit on code size, and resolves once it listens.
 *
 * The process is in a group of its own, so that Ctrl-C reaches us first and stakes can still be settled; a watcher
 * holding a pipe to us kills it should we die without a word.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const child = spawn(anvilBinary(), flags(options), { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  const watcher = child.pid === undefined ? undefined : watchOver(child.pid);
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  const stop = async (): Promise<void> => {
    process.off("exit", killNow);
    if (child.exitCode === null && child.signalCode === null) killNow();
    await ended;
    watcher?.dismiss();
  };
  try {
    const address = await listening(child);
    return { url: `http://${address}`, pid: child.pid!, ended, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function flags(options: AnvilOptions): string[] {
  return [
    ...["--host", "127.0.0.1", "--port", String(options.port), "--chain-id", String(options.chainId)],
    ...["--block-time", String(options.blockTimeMs / 1000), "--accounts", String(options.accounts)],
    // Osaka refuses transactions above 2^24 gas, and the gateway's are above.
    ...["--hardfork", "prague", "--gas-limit", String(BLOCK_GAS), "--gas-price", "0"],
    ...["--block-base-fee-per-gas", "0", "--disable-min-priority-fee", "--disable-code-size-limit"],
    // No state goes to disk, and a sandbox left running does not fill the memory.
    ...["--prune-history", String(KEPT_STATES), "--order", "fifo", "--color", "never"],
  ];
}

/** The binary itself rather than its launcher: a killed launcher leaves the chain running. */
function anvilBinary(): string {
  const architecture = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  const file = process.platform === "win32" ? "anvil.exe" : "anvil";
  try {
    const launcher = createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json");
    return join(dirname(createRequire(launcher).resolve(`${name}/package.json`)), "bin", file);
  } catch (cause) {
    throw new ConfigFault("ANVIL_MISSING", "The sandbox's chain, anvil, is not installed.", {
      hint: `Install the optional dependencies (npm install --include=optional); it comes as ${name}.`,
      cause,
    });
  }
}

/** Reads until anvil says where it listens, then lets its output flow away. */
async function listening(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  const complaints: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => complaints.length < 20 && complaints.push(chunk.toString()));
  const failed = new Promise<never>((_, reject) => {
    const fail = (why: string, cause?: unknown): void =>
      reject(new Fault("ANVIL_FAILED", `The sandbox's chain did not start: ${why}`, { cause }));
    child.once("error", (error) => fail(error.message, error));
    child.once("exit", (code, signal) =>
      fail(complaints.join("").trim() || `it ended with ${code ?? signal}`),
    );
    setTimeout(() => fail(`silent for ${START_LIMIT_MS} ms`), START_LIMIT_MS).unref();
  });
  // The race is over once it listens; anvil's later end is not a failed start.
  failed.catch(() => undefined);
  return Promise.race([announcement(child.stdout), failed]);
}

async function announcement(stdout: Readable): Promise<string> {
  const lines = createInterface({ input: stdout });
  const found = new Promise<string>((resolve) => {
    lines.on("line", (line) => {
      const address = /^Listening on (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  const address = await found;
  lines.close();
  stdout.resume();
  return address;
}

/** Kills `pid` as soon as the pipe to this process breaks. Windows has no shell for it and does without. */
function watchOver(pid: number): { dismiss(): void } | undefined {
  if (process.platform === "win32") return undefined;
  const watcher = spawn("/bin/sh", ["-c", 'cat >/dev/null; kill -9 "$1"', "sh", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watcher.on("error", () => undefined);
  watcher.unref();
  return {
    dismiss() {
      if (watcher.pid === undefined || watcher.exitCode !== null || watcher.signalCode !== null) return;
      // The group, shell and cat; closing the pipe would have it kill a number that may be another's by now.
      process.kill(-watcher.pid, "SIGKILL");
    },
  };
}

/**
 * What a test started ends with it. `await using` sees to that when the test's function returns; a test that runs into its
 * time limit is over while its function still waits, and may wait for ever.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** Benches and rehearsals start the same things outside of vitest. */
const vitest = process.env.VITEST === undefined ? undefined : await import("vitest");

/**
 * Runs `clean` when the test is over that runs now, if there is one, whatever it came to. Not for hooks, nor for tests that
 * run side by side: nobody knows which of them asks.
 */
export function afterThisTest(clean: () => PromiseLike<unknown>): void {
  const test = vitest?.TestRunner.getCurrentTest();
  if (test === undefined || test.concurrent === true) return;
  vitest?.onTestFinished(async () => {
    await clean();
  });
}

/**
 * Kills the child after this test, unless it `outlivesTest`, and when this process is gone, however that ended. The child's
 * own children see to themselves, as they have to (orphans.test.ts).
 */
export function leash(child: ChildProcess, options: { readonly outlivesTest?: boolean } = {}): void {
  if (child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  // The pipe to the shell breaks when we are gone.
  const watcher = spawn("/bin/sh", ["-c", 'cat >/dev/null; kill -9 "$1"', "sh", String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watcher.unref();
  void exited.then(() => {
    if (watcher.pid === undefined || watcher.exitCode !== null || watcher.signalCode !== null) return;
    // Shell and cat; closing the pipe would have the shell kill a number that may be another's by now.
    process.kill(-watcher.pid, "SIGKILL");
  });
  if (options.outlivesTest === true) return;
  afterThisTest(async () => {
    child.kill("SIGKILL");
    await exited;
  });
}

/**
 * Being left behind: npm runs a command through a shell, passes signals to that shell alone, and is gone with it. A command
 * that npm was told to run is asked to stop when the process above it has ended, as if the signal had reached it.
 */

const LOOK_EVERY_MS = 500;

/** What npm says of the script that it runs, such as "exec node src/main.ts" or "microengine". */
const RUNS_US = /(?:^|[\s/&;"'])(?:microengine|main\.[jt]s)(?=$|[\s"'])/;

interface Family {
  /** The process above, now. */
  parent(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Aborts once the process that runs us for npm has ended; never for a process that npm did not run. An operator's
 * own script may start us and end: it is not watched.
 */
export function orphanSignal({ parent, env }: Family, everyMs = LOOK_EVERY_MS): AbortSignal {
  const left = new AbortController();
  if (!RUNS_US.test(env.npm_lifecycle_script ?? "")) return left.signal;
  const born = parent();
  const timer = setInterval(() => {
    if (parent() === born) return;
    clearInterval(timer);
    left.abort();
  }, everyMs);
  timer.unref();
  return left.signal;
}

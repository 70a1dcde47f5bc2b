/**
 * What dependencies say on their own account: lines by `console`, and Node's warnings. A daemon's log is read by programs,
 * and a line that is no entry of it breaks them; so these become entries, too.
 */
import { format } from "node:util";
import { RecentKeys } from "../async/recent-keys.ts";
import type { Logger } from "./log.ts";

/** Longer text is cut: nothing says who wrote it. */
const LONGEST = 2_000;

/** What was said once is at `debug` when it is said again: ioredis says the same for each of its connections. */
const TEXTS_KNOWN = 100;

/** What is needed of the process. */
interface WarningSource {
  removeAllListeners(event: "warning"): unknown;
  on(event: "warning", listener: (warning: Error) => void): unknown;
}

type Spoken = Pick<Console, "log" | "info" | "debug" | "warn" | "error" | "trace">;

/**
 * Has everything of `spoken` (the global console) and all warnings go to the log: `console.output` at `warn` for what was
 * meant as a warning or an error, at `debug` for the rest, `process.warning` at `warn`. Lasts as long as the process.
 */
export function logDependencies(log: Logger, spoken: Spoken, source: WarningSource): void {
  const told = new RecentKeys(TEXTS_KNOWN);
  const entry =
    (level: "debug" | "warn") =>
    (...said: unknown[]): void => {
      const text = format(...said).slice(0, LONGEST);
      log[told.add(text) ? level : "debug"]({ text }, "console.output");
    };
  const [aside, warning] = [entry("debug"), entry("warn")];
  Object.assign(spoken, {
    log: aside,
    info: aside,
    debug: aside,
    trace: aside,
    warn: warning,
    error: warning,
  });
  // Node's own listener is what prints them.
  source.removeAllListeners("warning");
  source.on("warning", ({ name, message }) => {
    log.warn({ warning: name, text: message.slice(0, LONGEST) }, "process.warning");
  });
}

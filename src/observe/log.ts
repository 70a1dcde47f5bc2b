import { isatty } from "node:tty";
import { pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { LogName } from "./log-names.ts";
import { type LogOutput, stderrOutput } from "./log-output.ts";

type Say<Name extends string> = (facts: object, event: Name) => void;

/** Says what happened, by a name of those that it knows; the default are all that a process says outside of its map of events. */
export interface Logger<Name extends string = LogName> {
  readonly trace: Say<Name>;
  readonly debug: Say<Name>;
  readonly info: Say<Name>;
  readonly warn: Say<Name>;
  readonly error: Say<Name>;
  readonly fatal: Say<Name>;
  /** The same log, with these facts in each entry. */
  child(facts: object): Logger<Name>;
}

/** Of a process as a whole: knows the names of its own map of events as well. */
export type ProcessLog = Logger<string>;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const LOG_FORMATS = ["text", "json"] as const;

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
  /** Which process speaks: "producer", "consumer", "sandbox". */
  readonly name: string;
}

/**
 * Logs go to stderr, so that stdout is free for results. The message of an entry is a constant event name and the
 * facts are fields: `log.info({ guid, why }, "bounty.abstained")`. Write amounts as text (`formatNct`): pino prints a
 * bigint as a bare number, which most readers round. Writing never waits for who reads them (log-output.ts).
 */
export function createLogger(options: LogOptions): ProcessLog {
  const output = stderrOutput();
  const base = { name: options.name, level: options.level };
  const log =
    options.format === "json"
      ? pino(
          {
            ...base,
            base: { pid: process.pid },
            formatters: { level: (label) => ({ level: label }) },
            timestamp: pino.stdTimeFunctions.isoTime,
          },
          output,
        )
      : pino(base, textStream(output));
  output.onDropped((lines) => log.warn({ lines, hint: DROPPED_HINT }, "log.dropped"));
  return log;
}

function textStream(output: LogOutput): { write(line: string): void } {
  const asText = textWriter();
  return { write: (line) => output.write(asText(line)) };
}

const DROPPED_HINT = "The reader of the log stood still, and there was no room to keep these lines.";

const textWriter = () =>
  prettyFactory({
    colorize: isatty(2) && process.env.NO_COLOR === undefined,
    ignore: "pid,hostname",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });

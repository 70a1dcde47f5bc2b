import { type Logger, pino } from "pino";
import { build as pretty } from "pino-pretty";

export type { Logger };

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
 * bigint as a bare number, which most readers round.
 */
export function createLogger(options: LogOptions): Logger {
  const base = { name: options.name, level: options.level };
  if (options.format === "json") {
    return pino(
      {
        ...base,
        base: { pid: process.pid },
        formatters: { level: (label) => ({ level: label }) },
        timestamp: pino.stdTimeFunctions.isoTime,
      },
      pino.destination({ fd: 2, sync: true }),
    );
  }
  const stream = pretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY === true && process.env.NO_COLOR === undefined,
    ignore: "pid,hostname",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
  return pino(base, stream);
}

import { type ConfigOf, type Machine, maybe, one, toggle } from "../values/settings.ts";
import { atOnce, seconds, wholeNumber } from "../values/shapes.ts";
import { gateway, logging, scanning, serving, starting } from "./common.ts";

const rateLimit = (adverb: string, window: string) =>
  maybe({
    flag: `${adverb}-rate-limit`,
    env: `${adverb.toUpperCase()}_RATE_LIMIT`,
    value: "SCANS",
    help: `scans of each backend in a ${window}, by all consumers of the queue together`,
    reads: wholeNumber(1),
  });

const rateLimits = {
  dailyRateLimit: rateLimit("daily", "day (UTC)"),
  hourlyRateLimit: rateLimit("hourly", "full hour"),
  minutelyRateLimit: rateLimit("minutely", "full minute"),
  secondlyRateLimit: rateLimit("secondly", "second"),
};

/** Settings of a consumer. There is no secret of the wallet among them, and never will be. */
export const consumerSettings = {
  ...gateway,
  ...scanning,
  scanLimit: one({
    flag: "scan-limit",
    env: "SCAN_LIMIT",
    value: "SCANS",
    help: "artifacts to scan at the same time, over all backends, of which each may always scan one; 0 takes 64",
    default: ({ cpus }: Machine) => String(cpus),
    defaultHelp: "number of CPUs",
    reads: atOnce(64),
  }),
  downloadLimit: one({
    flag: "download-limit",
    env: "DOWNLOAD_LIMIT",
    value: "DOWNLOADS",
    help: "artifacts to download at the same time; 0 takes 256",
    default: ({ cpus }: Machine) => String(cpus),
    defaultHelp: "number of CPUs",
    reads: atOnce(256),
  }),
  scanTimeRequirement: one({
    flag: "scan-time-requirement",
    env: "SCAN_TIME_REQUIREMENT",
    value: "SECONDS",
    help: "begin no job with less time left before its deadline",
    default: "0",
    reads: seconds("zero allowed"),
  }),
  ...rateLimits,
  ...starting,
  wait: { ...starting.wait, help: "keep trying to reach Redis for this long at start; 0 gives up at once" },
  ...serving("0", "any free port, logged"),
  ...logging,
  embedded: toggle({
    flag: "embedded",
    help: "this process was forked by a producer and talks to it instead of Redis",
    hidden: true,
  }),
};

export type ConsumerConfig = ConfigOf<typeof consumerSettings>;

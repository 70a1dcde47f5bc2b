import { gateway, logging, scanning, serving, starting } from "./common.ts";
import { type ConfigOf, one, toggle } from "./settings.ts";
import { wholeNumber } from "./shapes.ts";

/** Settings of a consumer. There is no secret of the wallet among them, and never will be. */
export const consumerSettings = {
  ...gateway,
  ...scanning,
  scanLimit: one({
    flag: "scan-limit",
    env: "SCAN_LIMIT",
    value: "SCANS",
    help: "artifacts to scan at the same time",
    default: ({ cpus }) => String(cpus),
    defaultHelp: "number of CPUs",
    reads: wholeNumber(1, 1024),
  }),
  ...starting,
  ...serving("0", "any free port, logged"),
  ...logging,
  embedded: toggle({
    flag: "embedded",
    help: "this process was forked by a producer and talks to it instead of Redis",
    hidden: true,
  }),
};

export type ConsumerConfig = ConfigOf<typeof consumerSettings>;

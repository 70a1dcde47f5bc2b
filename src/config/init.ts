import { logging } from "./common.ts";
import { type ConfigOf, one, toggle } from "./settings.ts";
import { text } from "./shapes.ts";

/** Settings of `init`. */
export const initSettings = {
  exec: toggle({
    flag: "exec",
    help: "the scanner is a program of any kind (here: a shell script) instead of TypeScript",
  }),
  into: one({
    flag: "into",
    value: "DIRECTORY",
    help: "where the project's folder is made",
    default: ".",
    reads: text,
  }),
  ...logging,
  log: { ...logging.log, default: "warn" },
};

export type InitConfig = ConfigOf<typeof initSettings>;

import { type ConfigOf, one, toggle } from "../values/settings.ts";
import { text } from "../values/shapes.ts";
import { logging } from "./common.ts";

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

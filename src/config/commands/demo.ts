import { type ConfigOf, maybe, one, toggle } from "../values/settings.ts";
import { text, wholeNumber } from "../values/shapes.ts";
import { logging } from "./common.ts";

/** Settings of the demo: a sandbox, a producer and its consumers in one command. */
export const demoSettings = {
  bounties: one({
    flag: "bounties",
    env: "DEMO_BOUNTIES",
    value: "NUMBER",
    help: "how many bounties to see through",
    default: "12",
    reads: wholeNumber(1, 10_000),
  }),
  json: toggle({
    flag: "json",
    env: "DEMO_JSON",
    help: "end with one line of JSON instead of a table",
  }),
  consumers: one({
    flag: "consumers",
    env: "DEMO_CONSUMERS",
    value: "NUMBER",
    help: "consumers to run",
    default: "2",
    reads: wholeNumber(1, 64),
  }),
  seed: one({
    flag: "seed",
    env: "DEMO_SEED",
    value: "NUMBER",
    help: "makes artifacts and the rivals' luck the same again",
    default: "1",
    reads: wholeNumber(0),
  }),
  contracts: maybe({
    flag: "contracts",
    env: "DEMO_CONTRACTS",
    value: "DIRECTORY",
    help: "folder with other contracts as solc JSON; without it, our own",
    reads: text,
  }),
  keep: toggle({
    flag: "keep",
    env: "DEMO_KEEP",
    help: "keep the data directory and say where it is",
  }),
  ...logging,
  log: { ...logging.log, default: "warn" },
};

export type DemoConfig = ConfigOf<typeof demoSettings>;

import { type ConfigOf, one, toggle } from "../values/settings.ts";
import { wholeNumber } from "../values/shapes.ts";
import { logging } from "./common.ts";
import { producerSettings } from "./producer.ts";

const { dataDir, benign } = producerSettings;

/** Settings of `calibrate`, which only reads. */
export const calibrateSettings = {
  dataDir: { ...dataDir, help: "where the producer keeps its ledger; it may be running" },
  newest: one({
    flag: "newest",
    env: "CALIBRATE_NEWEST",
    value: "ARTIFACTS",
    help: "look at this many settled artifacts, the newest; a producer learns from 10000",
    default: "10000",
    reads: wholeNumber(1),
  }),
  benign,
  json: toggle({
    flag: "json",
    env: "CALIBRATE_JSON",
    help: "print one line of JSON instead of tables",
  }),
  ...logging,
};

export type CalibrateConfig = ConfigOf<typeof calibrateSettings>;

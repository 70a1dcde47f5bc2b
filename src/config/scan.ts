import { analysing, logging } from "./common.ts";
import { consumerSettings } from "./consumer.ts";
import { producerSettings } from "./producer.ts";
import { type ConfigOf, one, toggle } from "./settings.ts";
import { artifactKind, seconds } from "./shapes.ts";

const { benign, triage, distill } = producerSettings;
const { scanLimit } = consumerSettings;

/** Settings of `scan`: what a consumer knows of backends and a producer of verdicts, and nothing of the marketplace. */
export const scanSettings = {
  ...analysing,
  benign,
  triage,
  distill,
  scanLimit,
  deadline: one({
    flag: "deadline",
    value: "SECONDS",
    help: "how long the backends may take over one file",
    default: "30",
    reads: seconds("more than zero"),
  }),
  kind: one({
    flag: "kind",
    value: "KIND",
    help: "what the files are: file, or url for files that hold the text of a URL",
    default: "file",
    reads: artifactKind,
  }),
  json: toggle({
    flag: "json",
    help: "write one line of JSON for each file",
  }),
  ...logging,
  log: { ...logging.log, default: "warn" },
};

export type ScanConfig = ConfigOf<typeof scanSettings>;

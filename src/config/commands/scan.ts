import { VERDICTS } from "../../domain/verdict.ts";
import { type ConfigOf, many, one, toggle } from "../values/settings.ts";
import { artifactKindValue, oneOf, seconds, wholeNumber } from "../values/shapes.ts";
import { analysing, logging } from "./common.ts";
import { consumerSettings } from "./consumer.ts";
import { producerSettings } from "./producer.ts";

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
    reads: artifactKindValue,
  }),
  json: toggle({
    flag: "json",
    help: "write one line of JSON for each file",
  }),
  only: many({
    flag: "only",
    value: "VERDICT",
    help: `tell only of files with this verdict: ${VERDICTS.join(", ")}; all are counted`,
    default: "",
    defaultHelp: "all",
    reads: oneOf(VERDICTS),
  }),
  details: one({
    flag: "details",
    value: "FILES",
    help: "of how many files to show all that is known; malicious ones first",
    default: "20",
    reads: wholeNumber(0),
  }),
  failOn: many({
    flag: "fail-on",
    value: "VERDICT",
    help: "end with exit code 3 when a file has this verdict",
    default: "",
    defaultHelp: "none",
    reads: oneOf(VERDICTS),
  }),
  ...logging,
  log: { ...logging.log, default: "warn" },
};

export type ScanConfig = ConfigOf<typeof scanSettings>;

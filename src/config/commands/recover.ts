import { RECOVERY_DEFAULTS } from "../values/recovery-defaults.ts";
import { type ConfigOf, maybe, one, type SettingsTable, toggle } from "../values/settings.ts";
import { seconds, wholeNumber } from "../values/shapes.ts";
import { gateway, logging, scanning, starting } from "./common.ts";
import { producerSettings } from "./producer.ts";

const { keyfile, password, passwordFile, embedded, benign, triage, distill, chains, dataDir } =
  producerSettings;
const { chainId, registryAddr, trustRegistry, tokenAddr, maxGasPrice, maxFee } = producerSettings;

/** Those of the producer whose ledger was lost, as far as they matter. */
const usedSettings = {
  ...gateway,
  keyfile,
  password,
  passwordFile,
  dataDir,
  chains,
  blocks: maybe({
    flag: "blocks",
    env: "RECOVER_BLOCKS",
    value: "BLOCKS",
    help: "leave alone what expired longer ago than this; without it, every bounty is looked at",
    reads: wholeNumber(1),
  }),
  ledgerOnly: toggle({
    flag: "ledger-only",
    env: "RECOVER_LEDGER_ONLY",
    help: "write the ledger and end; a producer reveals and settles",
  }),
  json: toggle({
    flag: "json",
    env: "RECOVER_JSON",
    help: "end with one line of JSON instead of a table",
  }),
  tries: one({
    flag: "tries",
    env: "RECOVER_TRIES",
    value: "NUMBER",
    help: "verdicts to try for a bounty on which we spoke of more than 20 artifacts; two million take a second",
    default: RECOVERY_DEFAULTS.tries.toString(),
    reads: wholeNumber(1),
  }),
  rescanTimeout: one({
    flag: "rescan-timeout",
    env: "RECOVER_RESCAN_TIMEOUT",
    value: "SECONDS",
    help: "scan the artifacts of such a bounty anew for at most this long, to know which verdicts to try first",
    default: RECOVERY_DEFAULTS.rescanSeconds.toString(),
    reads: seconds("zero allowed"),
  }),
  ...scanning,
  embedded,
  benign,
  triage,
  distill,
  chainId,
  registryAddr,
  trustRegistry,
  tokenAddr,
  maxGasPrice,
  maxFee,
  ...starting,
  ...logging,
};

/** An operator who lost a ledger types the producer's line with another command: `recover` ignores what it has no use for. */
const uselessSettings: SettingsTable = Object.fromEntries(
  Object.entries(producerSettings)
    .filter(([name]) => !Object.hasOwn(usedSettings, name))
    .map(([name, setting]) => [name, { ...setting, hidden: true }]),
);

/** Settings of `recover`. */
export const recoverSettings = { ...(uselessSettings as object), ...usedSettings };

export type RecoverConfig = ConfigOf<typeof recoverSettings>;

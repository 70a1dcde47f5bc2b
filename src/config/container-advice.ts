/**
 * What an operator of containers can do about a fault. A container has other paths and users than the machine, and its settings
 * are in a file named .env: the flags that hints name elsewhere do not help there.
 */
import { ConfigFault } from "../domain/fault.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const AGAIN = "then `docker compose up -d`, or `docker compose restart` when only files changed";
const WALLET =
  "WALLET_DIR in the file .env names the folder on your machine with the two files keyfile and password, which user 1000 must be able to read (`sudo chown -R 1000 FOLDER`); without a wallet, `docker compose --profile sandbox up` plays in a market of its own";
const LEDGER =
  "DATA_DIR in the file .env names the volume or the folder on your machine for the ledger, which user 1000 must be able to write (`sudo chown -R 1000 FOLDER`; Docker makes folders that are missing as root)";
const PLUGINS =
  "files of yours are read from the folder that PLUGINS_DIR in the file .env names, and are called /plugins/NAME";
const SETTINGS = "correct it in the file .env, or in the environment of `docker compose`";

/** Faults that only a change by the operator can mend: a restart without it would fail in the same way. */
const LASTING: Readonly<Record<string, string>> = {
  KEYFILE_UNREADABLE: WALLET,
  PASSWORD_MISSING: WALLET,
  PASSWORD_FILE: WALLET,
  PASSWORD_WRONG: WALLET,
  LEDGER_UNWRITABLE: LEDGER,
  BACKEND_MODULE_MISSING: PLUGINS,
  DESCRIPTION_UNREADABLE: PLUGINS,
  DESCRIPTION_INVALID: PLUGINS,
  TRIAGE_FILE_UNREADABLE: PLUGINS,
  TRIAGE_FILE_INVALID: PLUGINS,
  SETTING_INVALID: SETTINGS,
  SETTING_MISSING: SETTINGS,
  POLYSWARMD_ADDRESS_INVALID: SETTINGS,
  REDIS_ADDRESS_INVALID: SETTINGS,
  PROXY_INVALID: SETTINGS,
  API_KEY_OVER_HTTP: SETTINGS,
  QUEUE_SECRET_FILE: SETTINGS,
};

/** Of what may have passed when it is tried again. */
const PASSING: Readonly<Record<string, string>> = {
  POLYSWARMD_UNREACHABLE:
    "POLYSWARMD_ADDR in the file .env names the gateway, as containers reach it (localhost is the container itself); the host `sandbox` is there with `docker compose --profile sandbox up` alone",
  REDIS_UNREACHABLE:
    "`docker compose up -d redis` starts it; REDIS_ADDR in the file .env names another one, as containers reach it",
};

/** One sentence to follow the fault, or `undefined` outside of a container and where there is nothing to say. */
export function containerAdvice(error: unknown, env: Environment): string | undefined {
  if (!isInContainer(env) || !(error instanceof ConfigFault)) return undefined;
  const lasting = LASTING[error.code];
  const advice = lasting ?? PASSING[error.code];
  if (advice === undefined) return undefined;
  return `With Docker: ${advice}${lasting === undefined ? "" : `; ${AGAIN}`}.`;
}

/**
 * Whether the process stays, doing nothing, instead of ending with this fault. Compose asks for it (CONFIG_FAULTS=hold): it
 * restarts what ends, as it must after a crash or a boot, and would print the same fault every minute.
 */
export const isHeld = (error: unknown, command: string | undefined, env: Environment): boolean =>
  env.CONFIG_FAULTS === "hold" &&
  (command === "producer" || command === "consumer" || command === "relay") &&
  error instanceof ConfigFault &&
  Object.hasOwn(LASTING, error.code) &&
  (error.code !== "LEDGER_UNWRITABLE" || isForbidden(error.cause));

/** A full disk has room again some day; an owner stays. */
const isForbidden = (cause: unknown): boolean =>
  ["EACCES", "EPERM", "EROFS"].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? "");

/** Set by the image. */
export const isInContainer = (env: Environment): boolean => (env.MICROENGINE_IMAGE ?? "") !== "";

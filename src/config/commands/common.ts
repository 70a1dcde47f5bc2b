/** Rows that several processes share, so that a name means the same everywhere. */
import { LOG_FORMATS, LOG_LEVELS } from "../../observe/log.ts";
import { many, maybe, one, toggle } from "../values/settings.ts";
import {
  apiKey,
  byteSize,
  endpoint,
  oneOf,
  port,
  queueName,
  seconds,
  secretText,
  text,
  wholeNumber,
} from "../values/shapes.ts";

export const logging = {
  log: one({
    flag: "log",
    env: "LOG_LEVEL",
    value: "LEVEL",
    help: `what to log on standard error: ${LOG_LEVELS.join(", ")}`,
    default: "info",
    // Python's names, which existing deployments carry in LOG_LEVEL.
    reads: oneOf(LOG_LEVELS, { warning: "warn", critical: "fatal", notset: "trace" }),
  }),
  logFormat: one({
    flag: "log-format",
    env: "LOG_FORMAT",
    value: "FORMAT",
    help: "text or json",
    default: ({ terminal }) => (terminal ? "text" : "json"),
    defaultHelp: "text on a terminal, else json",
    reads: oneOf(LOG_FORMATS, { datadog: "json" }),
  }),
};

export const gateway = {
  polyswarmdAddr: one({
    flag: "polyswarmd-addr",
    env: "POLYSWARMD_ADDR",
    value: "URL",
    help: "base URL of the marketplace's gateway",
    default: "https://api.polyswarm.network/v1/default",
    reads: endpoint,
  }),
  apiKey: maybe({
    flag: "api-key",
    env: "API_KEY",
    value: "KEY",
    help: "API key for the gateway",
    secret: true,
    reads: apiKey,
  }),
  allowKeyOverHttp: toggle({
    flag: "allow-key-over-http",
    env: "ALLOW_KEY_OVER_HTTP",
    help: "send the API key over unencrypted http too",
  }),
};

/** Embedded consumers need no Redis. */
const byRedis = ({ embedded }: Readonly<Record<string, unknown>>): boolean => !embedded;

const byBackend =
  (name: string) =>
  ({ backend }: Readonly<Record<string, unknown>>): boolean =>
    ((backend ?? []) as readonly string[]).includes(name);

/** Where a producer and its consumers meet. */
const queueing = {
  redisAddr: one({
    flag: "redis-addr",
    env: "REDIS_ADDR",
    value: "ADDRESS",
    help: "Redis of the queue: HOST:PORT, redis://, redis-cluster:// or redis-sentinel:// (rediss... with TLS)",
    default: "localhost:6379",
    // A URL may hold a password.
    secret: (text) => /@|password=/.test(text),
    neededBy: byRedis,
    reads: endpoint,
  }),
  queue: one({
    flag: "queue",
    env: "QUEUE",
    value: "NAME",
    help: "name of the queue, the same for a producer and its consumers",
    default: "microengine",
    neededBy: byRedis,
    reads: queueName,
  }),
  queueSecret: maybe({
    flag: "queue-secret",
    env: "QUEUE_SECRET",
    value: "SECRET",
    help: "seal jobs and answers with this secret, the same for a producer and its consumers",
    secret: true,
    yieldsTo: "queue-secret-file",
    neededBy: byRedis,
    reads: secretText,
  }),
  queueSecretFile: maybe({
    flag: "queue-secret-file",
    env: "QUEUE_SECRET_FILE",
    value: "FILE",
    help: "file that holds the secret of the queue",
    neededBy: byRedis,
    reads: text,
  }),
};

/** The backends and what they need, also where there is no queue. */
export const analysing = {
  backend: many({
    flag: "backend",
    env: "BACKEND",
    value: "NAME",
    help: "analysis backend: a built-in name, or the path of a scanner module or of a JSON file that describes one",
    default: "eicar",
    reads: text,
  }),
  clamd: maybe({
    flag: "clamd",
    env: "CLAMD_SOCKET",
    value: "ADDRESS",
    help: "clamd of the clamav backend: HOST, HOST:PORT or the path of its unix socket; replaces what the variables CLAMD_HOST (localhost) and CLAMD_PORT (3310) say",
    neededBy: byBackend("clamav"),
    reads: text,
  }),
  // Variables of existing deployments; people type --clamd.
  clamdHost: one({
    flag: "clamd-host",
    env: "CLAMD_HOST",
    value: "HOST",
    help: "host of the clamd",
    default: "localhost",
    hidden: true,
    neededBy: byBackend("clamav"),
    reads: endpoint,
  }),
  clamdPort: one({
    flag: "clamd-port",
    env: "CLAMD_PORT",
    value: "PORT",
    help: "port of the clamd",
    default: "3310",
    hidden: true,
    neededBy: byBackend("clamav"),
    reads: wholeNumber(1, 65_535),
  }),
  clamdMaxSize: one({
    flag: "clamd-max-size",
    env: "CLAMD_MAX_SIZE",
    value: "BYTES",
    help: "MaxFileSize of that clamd: its OK to anything larger says nothing",
    default: "100MiB",
    neededBy: byBackend("clamav"),
    reads: byteSize,
  }),
  yaraRules: maybe({
    flag: "yara-rules",
    env: "RULES_DIR",
    value: "PATH",
    help: "rules of the yara backend: a file, or a folder with *.yar and *.yara files",
    neededBy: byBackend("yara"),
    reads: text,
  }),
  yaraSkipBroken: toggle({
    flag: "yara-skip-broken",
    env: "YARA_SKIP_BROKEN",
    help: "go on without YARA rules that do not compile and rule files that cannot be read; the log names them",
  }),
  scanMemory: one({
    flag: "scan-memory",
    env: "SCAN_MEMORY",
    value: "BYTES",
    help: "memory that one scanner process may hold; beyond, it is killed and replaced",
    default: "1GiB",
    reads: byteSize,
  }),
  freshProcess: many({
    flag: "fresh-process",
    env: "FRESH_PROCESS",
    value: "BACKEND",
    help: "give each artifact a process of its own in this backend: what takes it over answers for no other",
    default: "",
    defaultHelp: "none",
    reads: text,
  }),
  maxArtifactSize: one({
    flag: "max-artifact-size",
    env: "MAX_ARTIFACT_SIZE",
    value: "BYTES",
    help: "leave larger artifacts alone; 32MiB and 30MB are understood",
    default: "34603008",
    reads: byteSize,
  }),
};

export const scanning = { ...queueing, ...analysing };

export const starting = {
  wait: one({
    flag: "wait",
    env: "WAIT",
    value: "SECONDS",
    help: "keep trying to reach Redis and polyswarmd for this long at start; 0 gives up at once",
    default: "60",
    reads: seconds("zero allowed"),
  }),
  stopTimeout: one({
    flag: "stop-timeout",
    env: "STOP_TIMEOUT",
    value: "SECONDS",
    help: "finish what is on its way for at most this long after a signal to stop",
    default: "25",
    reads: seconds("zero allowed"),
  }),
};

/** Whatever a process serves, it serves to this machine alone unless told otherwise. */
export const httpHost = one({
  flag: "http-host",
  env: "HTTP_HOST",
  value: "HOST",
  help: "address to serve on; 0.0.0.0 for everybody",
  default: "127.0.0.1",
  reads: endpoint,
});

/** The address on which health and metrics are served. */
export const serving = (defaultPort: string, defaultHelp?: string) => ({
  httpPort: one({
    flag: "http-port",
    env: "HTTP_PORT",
    value: "PORT",
    help: "port of /healthz, /readyz and /metrics; 0 takes any free one and logs it",
    default: defaultPort,
    ...(defaultHelp === undefined ? {} : { defaultHelp }),
    reads: port,
  }),
  httpHost,
});

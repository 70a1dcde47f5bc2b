import { type ChildProcess, fork } from "node:child_process";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { mainModule } from "../../config/main-module.ts";

/** What a consumer has no business with. */
const SECRETS = [
  ...["KEYFILE", "PASSWORD", "PASSWORD_FILE"],
  ...["REDIS_ADDR", "QUEUE_SECRET", "QUEUE_SECRET_FILE"],
];

export type EmbeddedConfig = Pick<
  ProducerConfig,
  | "allowKeyOverHttp"
  | "apiKey"
  | "backend"
  | "clamd"
  | "clamdHost"
  | "clamdMaxSize"
  | "clamdPort"
  | "log"
  | "logFormat"
  | "maxArtifactSize"
  | "polyswarmdAddr"
  | "queue"
  | "scanMemory"
  | "stopTimeout"
  | "yaraRules"
  | "yaraSkipBroken"
  | "freshProcess"
>;

/**
 * Starts a consumer as a child process of the producer, told by flags what it needs to know. It gets the environment
 * without the wallet: it could not open it if it tried.
 */
export function spawnEmbeddedConsumer(config: EmbeddedConfig, env: NodeJS.ProcessEnv): ChildProcess {
  const flags = [
    ...["--polyswarmd-addr", config.polyswarmdAddr],
    ...["--queue", config.queue],
    ...config.backend.flatMap((backend) => ["--backend", backend]),
    ...(config.clamd === undefined ? [] : ["--clamd", config.clamd]),
    ...["--clamd-host", config.clamdHost, "--clamd-port", String(config.clamdPort)],
    ...["--clamd-max-size", String(config.clamdMaxSize)],
    ...(config.yaraRules === undefined ? [] : ["--yara-rules", config.yaraRules]),
    ...(config.yaraSkipBroken ? ["--yara-skip-broken"] : []),
    ...config.freshProcess.flatMap((backend) => ["--fresh-process", backend]),
    ...["--max-artifact-size", String(config.maxArtifactSize)],
    ...["--scan-memory", String(config.scanMemory)],
    ...["--stop-timeout", String(config.stopTimeout)],
    ...["--log", config.log],
    ...["--log-format", config.logFormat],
    ...["--http-host", "127.0.0.1", "--http-port", "0"],
    ...(config.allowKeyOverHttp ? ["--allow-key-over-http"] : []),
  ];
  // An API key goes by the environment: arguments are there for everybody on the machine to read.
  const childEnv: NodeJS.ProcessEnv = { ...env };
  if (config.apiKey !== undefined) childEnv.API_KEY = config.apiKey;
  for (const name of SECRETS) delete childEnv[name];
  return fork(mainModule(), ["consumer", "--embedded", ...flags], {
    env: childEnv,
    // Its own process group would survive a Ctrl-C meant for all; the channel tells it when we are gone.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

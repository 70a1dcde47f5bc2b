import type { Logger } from "../../observe/log.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What opens the wallet. A consumer has no use for it, and an attacker who takes over a scanner must not find it. */
const WALLET_SECRETS = ["KEYFILE", "PASSWORD", "PASSWORD_FILE"] as const;

/** Says so when the wallet's secrets were given to a consumer, and forgets them. */
export function dropWalletSecrets(environment: Record<string, string | undefined>, log: Logger): void {
  const given = WALLET_SECRETS.filter((name) => environment[name] !== undefined);
  if (given.length === 0) return;
  for (const name of given) delete environment[name];
  log.warn(
    { names: given, hint: "Only the producer needs them: take them out of the consumer's environment." },
    "consumer.wallet-secrets-dropped",
  );
}

const SOUNDS_SECRET = /KEYFILE|PASSW|SECRET|TOKEN|CREDENTIAL|(?:^|_)KEY(?:$|_)|APIKEY|^REDIS_/i;
/** These would change what the worker's Node does, or leak what was typed on the command line. */
const NOT_FOR_WORKERS = /^(?:NODE_OPTIONS|NODE_CHANNEL_|npm_)/i;

/**
 * The environment of a scan worker: everything but what sounds like a secret. A scanner that needs one of its own gets
 * it under a name that begins with `SCANNER_`, which passes whatever it is called.
 */
export function scannerEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (entry[0].startsWith("SCANNER_") ||
          !(SOUNDS_SECRET.test(entry[0]) || NOT_FOR_WORKERS.test(entry[0]))),
    ),
  );
}

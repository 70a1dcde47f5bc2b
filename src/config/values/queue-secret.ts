import { ConfigFault } from "../../domain/fault.ts";
import { readSecretFile } from "./secret-file.ts";

/** A stranger who reads Redis can try secrets on the sealed jobs in it: a short one is soon found. */
export const LEAST_SECRET_CHARS = 16;

/** The secret that producer and consumers share, when there is one. Throws ConfigFault QUEUE_SECRET_FILE. */
export async function readQueueSecret(config: {
  readonly queueSecret?: string | undefined;
  readonly queueSecretFile?: string | undefined;
}): Promise<string | undefined> {
  if (config.queueSecret !== undefined || config.queueSecretFile === undefined) return config.queueSecret;
  const path = config.queueSecretFile;
  const file = { path, what: "queue secret", flag: "queue-secret-file", env: "QUEUE_SECRET_FILE" };
  const secret = await readSecretFile(file);
  if (secret === "") throw new ConfigFault(file.env, `The queue secret file ${path} is empty.`);
  if (secret.length >= LEAST_SECRET_CHARS) return secret;
  throw new ConfigFault(
    file.env,
    `The queue secret in ${path} is shorter than ${LEAST_SECRET_CHARS} characters.`,
    {
      hint: "`openssl rand -hex 32` makes one.",
    },
  );
}

import { readFile } from "node:fs/promises";
import { ConfigFault, describeError } from "../domain/fault.ts";

/** A setting that names a file with a secret in it, as Docker hands secrets over. */
export interface SecretFile {
  readonly path: string;
  /** What the secret is called in messages. */
  readonly what: string;
  readonly flag: string;
  /** Its variable, which is the code of its faults too. */
  readonly env: string;
}

/** The secret in the file. Throws ConfigFault when there is none to be had. */
export async function readSecretFile({ path, what, flag, env }: SecretFile): Promise<string> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (cause) {
    throw new ConfigFault(env, `The ${what} file cannot be read: ${describeError(cause)}.`, {
      hint: `--${flag} (variable ${env}) names it.`,
      cause,
    });
  }
  // Editors and `echo` end a file with a newline that is not part of the secret; more than one is.
  const secret = content.replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigFault(env, `The ${what} file ${path} is empty.`);
  return secret;
}

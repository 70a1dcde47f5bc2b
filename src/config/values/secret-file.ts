import { ConfigFault, describeError } from "../../domain/fault.ts";
import { readTextFile, withoutLineBreak } from "../../files/text-file.ts";

/** A setting that names a file with a secret in it, as Docker hands secrets over. */
interface SecretFile {
  readonly path: string;
  /** What the secret is called in messages. */
  readonly what: string;
  readonly flag: string;
  /** Its variable, which is the code of its faults too. */
  readonly env: string;
}

/** More is another kind of file. */
const MAX_SECRET_BYTES = 65_536;

/** The secret in the file, empty when the file is. Throws ConfigFault when it cannot be read. */
export async function readSecretFile({ path, what, flag, env }: SecretFile): Promise<string> {
  try {
    // Editors and `echo` end a file with a line break that is not part of the secret; more than one is.
    return withoutLineBreak(await readTextFile(path, MAX_SECRET_BYTES));
  } catch (cause) {
    throw new ConfigFault(env, `The ${what} file cannot be read: ${describeError(cause)}.`, {
      hint: `--${flag} (variable ${env}) names it.`,
      cause,
    });
  }
}

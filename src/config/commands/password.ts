/** The keystore's password: from the settings, from a file, or typed on a terminal without being shown. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ConfigFault } from "../../domain/fault.ts";
import { readSecretFile } from "../values/secret-file.ts";
import type { ProducerConfig } from "./producer.ts";

/** The terminal to ask on. */
interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/** Standard error asks, so that standard output stays free for results. */
export const processTerminal = (): Terminal => ({ input: process.stdin, output: process.stderr });

/**
 * The password, which may be empty where that is meant: an empty file, `--password ""`, or a bare Enter. Throws ConfigFault
 * when there is none, or when the wait for it was aborted.
 */
export async function readPassword(
  config: Pick<ProducerConfig, "password" | "passwordFile" | "keyfile">,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<string> {
  if (config.password !== undefined) return config.password;
  if (config.passwordFile !== undefined) {
    const path = config.passwordFile;
    return readSecretFile({ path, what: "password", flag: "password-file", env: "PASSWORD_FILE" });
  }
  if (terminal.input.isTTY === true) return ask(`Password of ${config.keyfile}: `, terminal, signal);
  throw new ConfigFault("PASSWORD_MISSING", `The keystore ${config.keyfile} needs a password.`, {
    hint: "Give --password-file (variable PASSWORD_FILE) or --password (variable PASSWORD), or start on a terminal to be asked.",
  });
}

async function ask(question: string, { input, output }: Terminal, signal?: AbortSignal): Promise<string> {
  output.write(question);
  // readline echoes what is typed to its output; this one swallows it.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input, output: nowhere, terminal: true });
  const gaveUp = new AbortController();
  // Ctrl-C and Ctrl-D close it too; a question would then wait for ever.
  prompt.once("close", () => gaveUp.abort());
  const stop = signal === undefined ? gaveUp.signal : AbortSignal.any([signal, gaveUp.signal]);
  try {
    return await prompt.question("", { signal: stop });
  } catch (cause) {
    throw new ConfigFault("PASSWORD_MISSING", "No password was typed.", { cause });
  } finally {
    prompt.close();
    output.write("\n");
  }
}

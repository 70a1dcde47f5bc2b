import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { COMPILE_CACHE } from "../fixtures/compile-cache.ts";
import { leash } from "./leash.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Environment of this process without what npm and the operator's shell put into it; Node starts quicker. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...COMPILE_CACHE, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

/** Runs a real process to its end. */
export const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  runIn(ROOT, command, args, env);

/** The same in another folder. */
export async function runIn(
  cwd: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  leash(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** The command line itself, by the Node that runs this. */
export const microengine = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run(process.execPath, ["src/main.ts", ...args], env);

/** What a process said, but for the entries of its log that tell how busy the machine is. */
export const withoutStalls = (stderr: string): string =>
  stderr.replaceAll(/^\{.*"msg":"loop\.stalled"\}\n/gm, "");

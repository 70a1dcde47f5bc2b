import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ConfigFault, Fault } from "../../domain/fault.ts";

/** Standard JSON settings of the Solidity compiler, without the output selection. */
type CompilerSettings = Readonly<Record<string, unknown>>;

const SETTINGS: CompilerSettings = { optimizer: { enabled: true, runs: 200 }, evmVersion: "london" };

/** The Solidity sources that the sandbox ships, in the package's own folder. */
export const SOURCES = fileURLToPath(new URL("../../../contracts/", import.meta.url));
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/microengine/", import.meta.url));

/**
 * Compiles every `.sol` file of a folder and returns the compiler's standard JSON output (`{contracts: {file: {Name:
 * {abi, evm: {bytecode: {object}}}}}}`). The result is kept by the hash of sources and settings, since the compiler
 * alone takes seconds; a cache that cannot be written is no cache.
 *
 * Throws a Fault with code CONTRACTS_DO_NOT_COMPILE that carries the compiler's first complaint.
 */
export async function compileFolder(
  folder: string = SOURCES,
  settings: CompilerSettings = SETTINGS,
  cacheFolder: string = CACHE,
): Promise<unknown> {
  const input = JSON.stringify({
    language: "Solidity",
    sources: await readSources(folder),
    settings: { ...settings, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  });
  const cached = join(cacheFolder, `${createHash("sha256").update(input).digest("hex")}.json`);
  try {
    return JSON.parse(await readFile(cached, "utf8"));
  } catch {
    const output = await compile(input);
    await keep(cacheFolder, cached, output).catch(() => undefined);
    return output;
  }
}

async function readSources(folder: string): Promise<Record<string, { content: string }>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sol")).sort();
  const sources = names.map(async (name) => [name, { content: await readFile(join(folder, name), "utf8") }]);
  return Object.fromEntries(await Promise.all(sources));
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
}

async function compile(input: string): Promise<CompilerOutput> {
  const solc = await loadCompiler();
  const output = JSON.parse(solc.compile(input)) as CompilerOutput;
  const failure = output.errors?.find((error) => error.severity === "error");
  if (failure !== undefined) {
    throw new Fault("CONTRACTS_DO_NOT_COMPILE", `The contracts do not compile: ${failure.formattedMessage}`);
  }
  return output;
}

/** Nine megabytes, needed only when the cache is cold. */
async function loadCompiler(): Promise<{ compile(input: string): string }> {
  try {
    return (await import("solc")).default;
  } catch (cause) {
    throw new ConfigFault("COMPILER_MISSING", "The Solidity compiler, solc, is not installed.", {
      hint: "Install the optional dependencies (npm install --include=optional).",
      cause,
    });
  }
}

/** Written aside and renamed, so that a second process never reads half a file. */
async function keep(folder: string, file: string, output: CompilerOutput): Promise<void> {
  await mkdir(folder, { recursive: true });
  const aside = `${file}.${process.pid}`;
  await writeFile(aside, JSON.stringify(output));
  await rename(aside, file);
}

/** Finds the engine that `--distill` names: a built-in one, or a module of the operator's. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { checkedEngine } from "./checked.ts";
import type { DistillEngine, DistillModule } from "./contract.ts";
import { BUILT_IN_ENGINES } from "./engines.ts";

const NAMES = BUILT_IN_ENGINES.map(({ name }) => name).join(", ");

/** Something with a slash or an extension of a module is a path, anything else a name. */
const isPath = (text: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(text);

/** Paths are relative to `folder`. Throws ConfigFault when there is no such engine or the module is not one. */
export async function loadDistillEngine(nameOrPath: string, folder = process.cwd()): Promise<DistillEngine> {
  if (isPath(nameOrPath)) return checkedEngine(await moduleAt(resolve(folder, nameOrPath)));
  const found = BUILT_IN_ENGINES.find(({ name }) => name === nameOrPath);
  if (found !== undefined) return found;
  throw new ConfigFault("DISTILL_UNKNOWN", `There is no distillation engine "${nameOrPath}".`, {
    hint: `--distill (variable DISTILL) takes ${NAMES}, or the path of a module, such as ./my-engine.ts.`,
  });
}

async function moduleAt(path: string): Promise<DistillModule> {
  const module = await importModule(path);
  const exported: unknown = module.distillEngine;
  if (exported === undefined) {
    const names = Object.keys(module).sort();
    const has = names.length === 0 ? "nothing" : names.join(", ");
    throw new ConfigFault("DISTILL_EXPORT", `${path} exports ${has}, but no distillEngine.`, {
      hint: EXPECTED,
    });
  }
  const made: unknown =
    typeof exported === "function" ? await call(exported as () => unknown, path) : exported;
  if (isEngine(made)) return made;
  throw new ConfigFault("DISTILL_SHAPE", `The distillEngine of ${path} has no name or no judge function.`, {
    hint: EXPECTED,
  });
}

const EXPECTED =
  "Expected: export const distillEngine = { name, judge(testimony, knowledge) }, or a function that returns that; see docs/distillation.md.";

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    await access(path);
  } catch (cause) {
    throw new ConfigFault("DISTILL_NOT_FOUND", `There is no readable distillation engine at ${path}.`, {
      hint: `Built in are ${NAMES}.`,
      cause,
    });
  }
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new ConfigFault("DISTILL_IMPORT", `${path} cannot be loaded: ${describeError(cause)}`, { cause });
  }
}

async function call(make: () => unknown, path: string): Promise<unknown> {
  try {
    return await make();
  } catch (cause) {
    throw new ConfigFault("DISTILL_SETUP", `The distillEngine of ${path} failed: ${describeError(cause)}`, {
      cause,
    });
  }
}

const isEngine = (made: unknown): made is DistillModule =>
  typeof made === "object" &&
  made !== null &&
  "name" in made &&
  typeof made.name === "string" &&
  "judge" in made &&
  typeof made.judge === "function";

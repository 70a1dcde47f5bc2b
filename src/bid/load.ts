/** Finds the strategy that `--bid-strategy` names: a built-in one, or a module of the operator's. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { BidStrategy } from "./contract.ts";
import { BUILT_IN_STRATEGIES } from "./strategies.ts";

const NAMES = BUILT_IN_STRATEGIES.map(({ name }) => name).join(", ");

/** Something with a slash or an extension of a module is a path, anything else a name. */
const isPath = (text: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(text);

/** Paths are relative to `folder`. Throws ConfigFault when there is no such strategy or the module is not one. */
export async function loadBidStrategy(nameOrPath: string, folder = process.cwd()): Promise<BidStrategy> {
  if (isPath(nameOrPath)) return strategyOf(resolve(folder, nameOrPath));
  const found = BUILT_IN_STRATEGIES.find(({ name }) => name === nameOrPath);
  if (found !== undefined) return found;
  throw new ConfigFault("STRATEGY_UNKNOWN", `There is no bid strategy "${nameOrPath}".`, {
    hint: `--bid-strategy (variable BID_STRATEGY) takes ${NAMES}, or the path of a module, such as ./my-strategy.ts.`,
  });
}

async function strategyOf(path: string): Promise<BidStrategy> {
  const module = await importModule(path);
  const exported: unknown = module.bidStrategy;
  if (exported === undefined) {
    const names = Object.keys(module).sort();
    const has = names.length === 0 ? "nothing" : names.join(", ");
    throw new ConfigFault("STRATEGY_EXPORT", `${path} exports ${has}, but no bidStrategy.`, {
      hint: EXPECTED,
    });
  }
  const made: unknown =
    typeof exported === "function" ? await call(exported as () => unknown, path) : exported;
  if (isStrategy(made)) return made;
  throw new ConfigFault("STRATEGY_SHAPE", `The bidStrategy of ${path} has no name or no bid function.`, {
    hint: EXPECTED,
  });
}

const EXPECTED =
  "Expected: export const bidStrategy = { name, bid(request) }, or a function that returns that; see docs/writing-a-bid-strategy.md.";

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    await access(path);
  } catch (cause) {
    throw new ConfigFault("STRATEGY_NOT_FOUND", `There is no readable bid strategy module at ${path}.`, {
      hint: `Built in are ${NAMES}.`,
      cause,
    });
  }
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new ConfigFault("STRATEGY_IMPORT", `${path} cannot be loaded: ${describeError(cause)}`, { cause });
  }
}

async function call(make: () => unknown, path: string): Promise<unknown> {
  try {
    return await make();
  } catch (cause) {
    throw new ConfigFault("STRATEGY_SETUP", `The bidStrategy of ${path} failed: ${describeError(cause)}`, {
      cause,
    });
  }
}

const isStrategy = (made: unknown): made is BidStrategy =>
  typeof made === "object" &&
  made !== null &&
  "name" in made &&
  typeof made.name === "string" &&
  "bid" in made &&
  typeof made.bid === "function";

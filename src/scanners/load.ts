/**
 * Turns a module into a scanner. It runs the module's code, so it is called in the process of a scan worker only, never
 * in a producer or consumer.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Accepts, BackendDescription, Scanner, ScannerSettings } from "./contract.ts";
import { AcceptsShape, ConfinementShape, ScannerName, ScannerVersion } from "./scanner-shape.ts";
import { complaintIn } from "./shape-complaint.ts";

const GUIDE = "See docs/writing-a-scanner.md.";

const aFunction = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === "function",
  "must be a function",
);

const ScannerShape = z.object({
  name: ScannerName,
  version: ScannerVersion,
  accepts: AcceptsShape.optional(),
  confine: ConfinementShape.optional(),
  setup: aFunction.optional(),
  scan: aFunction,
  check: aFunction.optional(),
  teardown: aFunction.optional(),
});

/**
 * Imports a scanner module and checks what it exports. Throws ConfigFault BACKEND_MODULE_MISSING,
 * BACKEND_EXPORT_MISSING or BACKEND_INVALID.
 */
export async function loadScanner(moduleUrl: string, settings: ScannerSettings = {}): Promise<Scanner> {
  const place = placeOf(moduleUrl);
  const exported = await importModule(moduleUrl, place);
  if (!("scanner" in exported)) {
    const names = Object.keys(exported);
    throw new ConfigFault(
      "BACKEND_EXPORT_MISSING",
      `${place} does not export "scanner"; ${names.length === 0 ? "it exports nothing" : `it exports ${names.join(", ")}`}.`,
      { hint: `Expected: export const scanner = { name, version, scan(artifact) { … } }. ${GUIDE}` },
    );
  }
  const scanner: unknown =
    typeof exported.scanner === "function" ? await make(exported.scanner, settings, place) : exported.scanner;
  const checked = ScannerShape.safeParse(scanner, { reportInput: true });
  if (checked.success) return scanner as Scanner; // the object itself: its methods may use `this`
  const { where, what } = complaintIn(checked.error);
  throw invalid(`${place}: scanner${where && `.${where}`} ${what}.`);
}

async function importModule(moduleUrl: string, place: string): Promise<Record<string, unknown>> {
  if (moduleUrl.startsWith("file:") && !existsSync(fileURLToPath(moduleUrl))) {
    throw new ConfigFault("BACKEND_MODULE_MISSING", `There is no scanner module ${place}.`, {
      hint: "A relative path is looked up from the folder the program was started in.",
    });
  }
  try {
    return (await import(moduleUrl)) as Record<string, unknown>;
  } catch (cause) {
    throw invalid(`${place} cannot be loaded: ${describeError(cause)}${lineOf(cause)}.`, cause);
  }
}

/** Where the text is that is no TypeScript: in the module, or in one that it imports. */
function lineOf(cause: unknown): string {
  const head = cause instanceof SyntaxError ? /^(?:file:\/\/)?(\/.*:\d+)\n/.exec(cause.stack ?? "") : null;
  return head === null ? "" : ` (${head[1]})`;
}

async function make(factory: object, settings: ScannerSettings, place: string): Promise<unknown> {
  try {
    return await (factory as (settings: ScannerSettings) => unknown)(settings);
  } catch (cause) {
    // What the operator set wrongly is said in the scanner's own words.
    if (cause instanceof ConfigFault) throw cause;
    throw invalid(`The scanner function of ${place} threw: ${describeError(cause)}.`, cause);
  }
}

export function describeScanner({ name, version, accepts = {} }: Scanner): BackendDescription {
  return { name, version, accepts: accepts satisfies Accepts };
}

const placeOf = (moduleUrl: string): string =>
  moduleUrl.startsWith("file:") ? fileURLToPath(moduleUrl) : moduleUrl;

const invalid = (sentence: string, cause?: unknown): ConfigFault =>
  new ConfigFault("BACKEND_INVALID", sentence.replace(/\.\.$/, "."), { hint: GUIDE, cause });

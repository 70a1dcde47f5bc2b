import { z } from "zod";
import { ConfigFault } from "../domain/fault.ts";
import { yamlComplaint } from "../json/yaml-text.ts";
import type { Route, TriageRules } from "./triage.ts";

/** Strict, because a misspelt key in one's own rules would silently scan or skip the wrong things. */
const TriageFile = z.strictObject({
  maxSizeBytes: z.int().positive().optional(),
  declaredTypes: z.enum(["ignore", "may-skip"]).optional(),
  routes: z
    .array(
      z.strictObject({
        types: z.array(z.string().regex(/^(?:\*|[^\s/]+\/[^\s/]+)$/, "is not a MIME type")).min(1),
        backends: z.array(z.string().min(1)),
      }),
    )
    .default([]),
});

/** The part of the rules that a file may set. */
interface TriageSettings {
  readonly maxSizeBytes?: number;
  readonly declaredTypes?: NonNullable<TriageRules["declaredTypes"]>;
  readonly routes: readonly Route[];
}

/**
 * Reads the text of a triage file: JSON with `maxSizeBytes`, `declaredTypes` and `routes`, all optional.
 * `backends` are the names of the backends in use. Throws ConfigFault TRIAGE_FILE_INVALID that says what is wrong where.
 */
export function parseTriageFile(text: string, file: string, backends: readonly string[]): TriageSettings {
  const { maxSizeBytes, declaredTypes, routes } = readTriageFile(text, file);
  for (const [at, route] of routes.entries()) {
    const stranger = route.backends.find((name) => !backends.includes(name));
    if (stranger === undefined) continue;
    throw invalid(file, `routes[${at}] names the backend "${stranger}", which is not in use`, {
      hint: `In use: ${backends.join(", ")}. Choose backends with --backend.`,
    });
  }
  return {
    routes,
    ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
    ...(declaredTypes === undefined ? {} : { declaredTypes }),
  };
}

function readTriageFile(text: string, file: string): z.infer<typeof TriageFile> {
  const checked = TriageFile.safeParse(readJson(text, file));
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  throw invalid(file, path.length === 0 ? message : `${pathText(path)}: ${message}`);
}

function readJson(text: string, file: string): unknown {
  if (text.trim() === "") throw invalid(file, "it is empty, and {} is how to say nothing");
  try {
    return JSON.parse(text);
  } catch (cause) {
    const yaml = yamlComplaint(text);
    if (yaml !== undefined) throw invalid(file, `it ${yaml}`, { cause });
    throw invalid(file, `not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");

const invalid = (file: string, what: string, options: { hint?: string; cause?: unknown } = {}): ConfigFault =>
  new ConfigFault("TRIAGE_FILE_INVALID", `The triage file ${file} is not valid: ${what}.`, options);

import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigFault } from "../domain/fault.ts";
import type { ScannerSettings } from "./contract.ts";

/** Backends that come with the program; each has a module among these folders. */
const BUILT_IN_BACKENDS = ["eicar", "yara", "clamav"] as const;

/** Where a backend's module is. Its name is only known once it is loaded, in a process of its own. */
export interface BackendModule {
  /** As the operator wrote it. */
  readonly spec: string;
  readonly moduleUrl: string;
  readonly settings: ScannerSettings;
}

export interface ResolveOptions {
  /** What relative paths are relative to. Default: the folder the program was started in. */
  readonly cwd?: string | undefined;
  /** What the operator set for built-in backends, by their names. */
  readonly settings?: Readonly<Record<string, ScannerSettings>> | undefined;
}

const looksLikePath = (spec: string): boolean => /[/\\]|\.(?:ts|mts|js|mjs|json)$/.test(spec);

/** A module below this folder: as .ts in the repository, as .js in the published package. */
const ours = (path: string): string => new URL(`${path}${extname(import.meta.url)}`, import.meta.url).href;

const PLACES: Readonly<Record<(typeof BUILT_IN_BACKENDS)[number], string>> = {
  eicar: "eicar",
  yara: "yara/yara",
  clamav: "clamav/clamav",
};
const isBuiltIn = (spec: string): spec is keyof typeof PLACES => Object.hasOwn(PLACES, spec);

const PYTHON =
  "A scanner in Python is run as a program that a JSON file describes (docs/backend-exec.md), or rewritten (docs/writing-a-scanner.md).";

/** What to write instead of a backend of the Python client, if it is one. */
function formerBackend(spec: string): string | undefined {
  if (spec === "producer")
    return "The command is producer; --backend (variable BACKEND) names what its consumers scan with, such as clamav.";
  if (spec === "multi")
    return "Several backends are named one by one: --backend clamav --backend yara (BACKEND=clamav,yara).";
  if (spec === "scratch") return "An engine that never asserts is one without a verdict: leave it out.";
  const module = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$|^[a-z_]\w*(?:\.[a-z_]\w*)+$|\.pyc?$/.test(
    spec,
  );
  return module && !/\.(?:[cm]?[jt]s|json)$/.test(spec) && !spec.startsWith("file:") ? PYTHON : undefined;
}

/**
 * Finds the module that `--backend` names: a built-in, a module path (relative, absolute, or a file: URL),
 * or the path of a JSON file that describes a program or service. Does not load it. Throws ConfigFault BACKEND_UNKNOWN.
 */
export function resolveBackend(spec: string, options: ResolveOptions = {}): BackendModule {
  const { cwd = process.cwd(), settings } = options;
  if (isBuiltIn(spec)) {
    return { spec, moduleUrl: ours(PLACES[spec]), settings: settings?.[spec] ?? {} };
  }
  // YAML is read to be told what is wanted instead.
  if (/\.(?:json|ya?ml)$/.test(spec)) {
    const file = spec.startsWith("file:") ? fileURLToPath(spec) : resolve(cwd, spec);
    return { spec, moduleUrl: ours("described/described"), settings: { file } };
  }
  const former = formerBackend(spec);
  if (former !== undefined)
    throw new ConfigFault("BACKEND_UNKNOWN", `There is no backend "${spec}" here.`, { hint: former });
  if (spec.startsWith("file:") && URL.canParse(spec)) return { spec, moduleUrl: spec, settings: {} };
  if (looksLikePath(spec)) return { spec, moduleUrl: pathToFileURL(resolve(cwd, spec)).href, settings: {} };
  throw new ConfigFault("BACKEND_UNKNOWN", `There is no backend "${spec}".`, {
    hint: `Built in: ${BUILT_IN_BACKENDS.join(", ")}. For a scanner of your own give its path, like ./${spec || "my-scanner"}.ts.`,
  });
}

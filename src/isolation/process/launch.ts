/**
 * How the process of a scanner is started: what its heap may grow to and, for one that asks to be confined, what it may
 * still do. docs/isolation.md says what that stops and what it does not.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Confinement } from "../../scanners/contract.ts";

/** For `fork`: a program, and its arguments up to the module to run. */
export interface Launch {
  readonly execPath: string;
  readonly execArgv: string[];
}

interface LaunchTerms {
  readonly moduleUrl: string;
  /** The process's own; it may write there and nowhere else. */
  readonly directory: string;
  readonly memoryBytes: number;
}

/** Folder of our own program, sources or compiled. */
const PROGRAM = fileURLToPath(new URL("../..", import.meta.url));

const heapLimit = ({ memoryBytes }: LaunchTerms): string =>
  `--max-old-space-size=${Math.max(1, Math.floor(memoryBytes / 2 ** 20))}`;

export const launchFree = (terms: LaunchTerms): Launch => ({
  execPath: process.execPath,
  execArgv: [heapLimit(terms)],
});

/** With Node's permission model; and without a network, where this system can take it away. */
export async function launchConfined(terms: LaunchTerms, confinement: Confinement): Promise<Launch> {
  const flags = [
    heapLimit(terms),
    "--permission",
    ...readable(terms, confinement).map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${terms.directory}`,
    // What these two do to files, the permission model does not see: databases, and what V8 writes when it is told to.
    "--no-experimental-sqlite",
    "--freeze-flags-after-init",
    // Without --allow-worker: a worker thread may be given other permissions than its process.
    ...(confinement.addons === true ? ["--allow-addons"] : []),
    "--disable-warning=SecurityWarning",
  ];
  if (!(await canLeaveNetwork())) return { execPath: process.execPath, execArgv: flags };
  return { execPath: LEAVE_NETWORK[0], execArgv: [...LEAVE_NETWORK.slice(1), process.execPath, ...flags] };
}

/** Its module, the installed packages, its own folder and what it says; by every name these have. */
function readable({ moduleUrl, directory }: LaunchTerms, { read = [] }: Confinement): readonly string[] {
  const module = moduleUrl.startsWith("file:") ? fileURLToPath(moduleUrl) : undefined;
  const folder = module === undefined ? PROGRAM : dirname(module);
  const packages = [PROGRAM, folder].flatMap(ancestorsOf).map((ancestor) => join(ancestor, "node_modules"));
  const wished = read.map((path) => resolve(folder, path));
  const paths = [PROGRAM, ...packages, ...(module === undefined ? [] : [module]), directory, ...wished];
  return [...new Set(paths.flatMap((path) => [path, realPath(path)]))];
}

const ancestorsOf = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...ancestorsOf(dirname(folder))];

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Runs what follows in a network of its own, in which there is nothing. Needs user namespaces, which not every container allows. */
const LEAVE_NETWORK = ["unshare", "--user", "--map-current-user", "--net"] as const;

/** Whether this system takes the network away from who asks for it. */
export async function canLeaveNetwork(): Promise<boolean> {
  const [program, ...args] = LEAVE_NETWORK;
  const trial = spawn(program, [...args, "true"], { stdio: "ignore" });
  try {
    const [code] = (await once(trial, "exit")) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}

import { readdirSync, readFileSync } from "node:fs";

/**
 * Bytes of memory that a process holds, with the processes it started or alone, as Linux counts them (pages that they
 * share count for each). `undefined` when it is gone, or where there is no /proc.
 */
export function residentBytes(pid: number, whose: "family" | "alone" = "family"): number | undefined {
  const own = residentAlone(pid);
  if (own === undefined || whose === "alone") return own;
  return childrenOf(pid).reduce((sum, child) => sum + (residentBytes(child) ?? 0), own);
}

function residentAlone(pid: number): number | undefined {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Each belongs to the thread that started it. */
const childrenOf = (pid: number): readonly number[] =>
  threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Procfs answers from memory: waiting for it would take longer than it does. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

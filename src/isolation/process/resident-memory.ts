import { childrenOf, readProc } from "./procfs.ts";

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
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`)) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

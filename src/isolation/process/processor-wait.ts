import { readFileSync } from "node:fs";

/**
 * Milliseconds that the first thread of a process could have run and had to wait for a processor, as Linux counts them.
 * 0 where the system does not count them, as on macOS.
 */
export function waitedForProcessor(pid: number): number {
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, times on one.
    const [, waited] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
    return Number(waited) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * Calls `onOver` once `ms` have passed that `waitedMs`, which only grows from 0, does not account for: on a machine that
 * is busy thirtyfold everything takes thirty times as long, and is as well as before. Returns what ends the wait.
 */
export function afterProcessorTime(ms: number, waitedMs: () => number, onOver: () => void): () => void {
  const from = performance.now();
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const leftMs = ms + waitedMs() - (performance.now() - from);
    if (leftMs <= 0) onOver();
    else timer = setTimeout(look, Math.ceil(leftMs));
  };
  timer = setTimeout(look, ms);
  return () => clearTimeout(timer);
}

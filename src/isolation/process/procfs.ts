import { readdirSync, readFileSync } from "node:fs";

/** Processes that a process started and that are still there. Each belongs to the thread that started it. */
export const childrenOf = (pid: number): readonly number[] =>
  threadsOf(pid).flatMap((thread) =>
    readProc(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty when there is no such file. Procfs answers from memory: waiting for it would take longer than it does. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

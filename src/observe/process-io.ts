import type { ProcessLog } from "./log.ts";

/** What a process of ours has to go by besides its settings. */
export interface ProcessIo {
  readonly log: ProcessLog;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

import type { Logger } from "./log.ts";

/** What a process of ours has to go by besides its settings. */
export interface ProcessIo {
  readonly log: Logger;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../domain/fault.ts";

const ASK_AGAIN_MS = 500;

/** Asks a marketplace in trouble again while the bounty can still be answered. */
export async function whileOpen<T>(
  isOpen: () => boolean,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const again = error instanceof Fault && error.retryable && isOpen();
      if (!again) throw error;
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

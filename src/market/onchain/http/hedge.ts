import type { Timers } from "../../../async/timers.ts";

/**
 * Asks once more when there is no answer after a while, and takes whichever answer comes first:
 *
 *     asking ──answer, or failure, in time──────────────► that
 *        └──nothing yet──► asking, and asking again ──the first good answer──► that; the other is let go
 *                                  └──both failed──► the failure of the first
 *
 * A request that was swallowed costs the wait and no more, and one that is only slow is not called off for that: it goes
 * on beside the other. For what may be sent twice.
 */
export async function hedge<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { afterMs, timers }: { readonly afterMs: number; readonly timers: Timers },
): Promise<T> {
  const over = new AbortController();
  try {
    const first = attempt(over.signal);
    const wait = timers.sleep(afterMs, over.signal).then(
      () => "late" as const,
      () => "over" as const,
    );
    const early = await Promise.race([first.then(() => "done" as const), wait]);
    if (early !== "late") return await first;
    return await Promise.any([first, attempt(over.signal)]).catch(async () => first);
  } finally {
    over.abort();
  }
}

import { setTimeout as sleep } from "node:timers/promises";

import type { Logger } from "../../observe/log.ts";
import type { Chain } from "./chain.ts";

/**
 * Calls `onHead` for every new head until the signal aborts, with the head told before it; blocks in between are for
 * the listener to make up. A head whose listener rejects is told again, together with what came after it.
 */
export async function followHead(
  chain: Pick<Chain, "head">,
  options: { readonly pollMs: number; readonly signal: AbortSignal; readonly log: Logger },
  onHead: (head: number, before: number) => Promise<void> | void,
): Promise<void> {
  const { pollMs, signal, log } = options;
  let told: number | undefined;
  while (!signal.aborted) {
    try {
      const head = await chain.head();
      told ??= head;
      if (head > told) {
        await onHead(head, told);
        told = head;
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "chain.follow.failed");
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

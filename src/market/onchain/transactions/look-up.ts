import type { ChainName } from "../../../domain/chain.ts";
import { MarketFault } from "../http/answer.ts";
import type { Asker } from "../http/ask.ts";
import type { Lane } from "../http/lane.ts";
import type { Outcome } from "../port/marketplace.ts";
import type { TransactionEvents } from "../reads/schemas.ts";
import { askReceipts, MAX_HASHES, mayPassLater } from "./receipts.ts";
import { failedOutcome } from "./refusal.ts";

/**
 * What became of one action that was signed several times: done when one of its transactions was mined, whatever became
 * of the others; failed when all of them reverted; unknown while one may still be mined, or the gateway cannot say.
 */
export async function lookUpAll(
  gateway: Asker,
  hashes: readonly string[],
  options: { readonly chain: ChainName; readonly lane: Lane; readonly signal?: AbortSignal | undefined },
): Promise<Outcome<TransactionEvents[]>> {
  const events: TransactionEvents[] = [];
  let mined = false;
  let pending: string | undefined;
  let reverted = "";
  for (let from = 0; from < hashes.length; from += MAX_HASHES) {
    const some = hashes.slice(from, from + MAX_HASHES);
    try {
      const receipts = await askReceipts(gateway, some, options);
      events.push(receipts.events);
      for (const fate of some.map(receipts.fateOf)) {
        if (fate.kind === "mined") mined = true;
        else if (fate.kind === "reverted") reverted = fate.reason;
        else pending = fate.reason;
      }
    } catch (error) {
      if (!(error instanceof MarketFault)) throw error;
      pending = error.message;
    }
  }
  if (mined) return { kind: "done", value: events };
  return pending === undefined ? failedBy(reverted) : { kind: "unknown", reason: pending };
}

export const failedBy = (revert: string) =>
  failedOutcome({ reason: `The transaction reverted: ${revert}.`, retryable: mayPassLater(revert) });

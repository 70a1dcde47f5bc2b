import { describeError, Fault } from "../../../domain/fault.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { TellOnchain } from "../port/events.ts";
import { transactionOf } from "../port/journal.ts";
import type { Marketplace } from "../port/marketplace.ts";

/**
 * Hands over what an earlier run signed and had no time to send, before this one signs anything: a node that never saw
 * those transactions would give their account nonces to others, and a reveal among them would be void. A gateway in
 * trouble costs no more than that: each bounty's own duty goes on from there.
 */
export async function resendSigned(
  {
    market,
    ledger,
    tell,
  }: { readonly market: Marketplace; readonly ledger: Ledger; readonly tell: TellOnchain },
  signal: AbortSignal,
): Promise<void> {
  const { id: chain } = market;
  const signedFrom = (nonce: bigint) =>
    ledger.entriesFrom(chain, nonce).map((entries) => entries.map(transactionOf));
  if (signedFrom(0n).length === 0) return;
  try {
    const actions = await market.resendAll(signedFrom, signal);
    if (actions > 0) tell("producer.handed-over", { market: chain, actions });
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    tell("producer.handing-over-failed", { market: chain, reason: describeError(error) });
  }
}

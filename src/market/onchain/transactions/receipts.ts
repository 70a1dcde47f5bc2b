import type { ChainName } from "../../../domain/chain.ts";
import type { Logger } from "../../../observe/log.ts";
import { MarketFault } from "../http/answer.ts";
import type { Asker } from "../http/ask.ts";
import type { Lane } from "../http/lane.ts";
import { LIMITS } from "../http/limits.ts";
import { readAs, TransactionEvents } from "../reads/schemas.ts";

/** What became of one transaction, as the gateway tells it. */
export type Fate =
  | { readonly kind: "mined" }
  | { readonly kind: "reverted"; readonly reason: string }
  /** Not mined yet, or the gateway could not see: ask again. `looked`: the node was asked, and has no receipt. */
  | { readonly kind: "pending"; readonly reason: string; readonly looked: boolean };

interface Receipts {
  readonly events: TransactionEvents;
  /** By hash, as it was asked for. */
  readonly fateOf: (hash: string) => Fate;
}

/** The gateway takes at most ten hashes at a time. */
export const MAX_HASHES = 10;

/** How long the gateway itself waits for one transaction before it says that it does not know. */
const GATEWAY_WAIT_MS: Readonly<Record<ChainName, number>> = { side: 10_000, home: 60_000 };

/**
 * Asks once for the fate of transactions. The gateway waits for each of them to be mined and one block more, one after
 * the other, so the answer takes its time. Throws MarketFault when there is no such answer.
 */
export async function askReceipts(
  gateway: Asker,
  hashes: readonly string[],
  options: { readonly chain: ChainName; readonly lane: Lane; readonly signal?: AbortSignal | undefined },
): Promise<Receipts> {
  const what = "the receipts";
  const result = await gateway
    .ask({
      what,
      method: "GET",
      path: "/transactions",
      body: { transactions: hashes },
      lane: options.lane,
      repeatable: false,
      manner: "held",
      limits: LIMITS.receipts,
      timeoutMs: hashes.length * GATEWAY_WAIT_MS[options.chain] + 10_000,
      signal: options.signal,
    })
    .catch((error: unknown) => {
      // With one bad transaction the whole answer is an error, the events of the good ones inside it.
      const inside = error instanceof MarketFault ? error.errors : undefined;
      if (TransactionEvents.safeParse(inside).data?.errors.length) return inside;
      if (sawNoBody(error)) throw bodyDropped(error);
      throw error;
    });
  const events = readAs(TransactionEvents, what, result);
  return { events, fateOf: (hash) => fateIn(events.errors, hash) };
}

/**
 * Warns when the bodies of GET requests do not arrive: then there will never be a receipt, and every action ends as
 * unknown until the market's own record shows it. An empty list is answered at once, if only by a refusal.
 */
export async function warnOfDroppedBodies(gateway: Asker, log: Logger, signal: AbortSignal): Promise<void> {
  const ask = {
    what: "no receipts",
    method: "GET",
    path: "/transactions",
    body: { transactions: [] },
  } as const;
  try {
    await gateway.ask({ ...ask, lane: "read", repeatable: false, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof MarketFault) || !sawNoBody(error)) return;
    const { message, hint } = bodyDropped(error);
    log.warn({ reason: message, hint }, "market.get-body-dropped");
  }
}

/** What the gateway says to a question without a body. */
const sawNoBody = (error: unknown): error is MarketFault =>
  error instanceof MarketFault && error.messages.some((text) => /data must be object/i.test(text));

const bodyDropped = (cause: MarketFault): MarketFault =>
  new MarketFault(
    "MARKET_BODY_DROPPED",
    "A proxy in front of the gateway drops the body of GET requests, so there are no receipts.",
    {
      status: 400,
      reached: "yes",
      retryable: false,
      cause,
      hint: "Have the proxy pass them on, or go round it.",
    },
  );

function fateIn(errors: readonly string[], hash: string): Fate {
  const bare = hash.replace(/^0x/i, "").toLowerCase();
  const mine = errors.find((text) => text.toLowerCase().includes(bare));
  if (mine !== undefined) return fateFrom(mine);
  // An error that names no transaction may be about this one.
  const nameless = errors.find((text) => !/[0-9a-f]{64}/i.test(text));
  return nameless === undefined ? { kind: "mined" } : pending(nameless);
}

function fateFrom(text: string): Fate {
  if (/trace succeeded/i.test(text)) return pending(text);
  const [, revert] = /transaction failed at block \d+, (?:error: )?(.*)$/is.exec(text) ?? [];
  if (revert !== undefined) return { kind: "reverted", reason: revert };
  if (/out of gas/i.test(text)) return { kind: "reverted", reason: "out of gas" };
  return /timeout during wait|receipt not available/i.test(text) ? withoutReceipt(text) : pending(text);
}

/** The gateway could not see. */
const pending = (reason: string): Fate => ({ kind: "pending", reason, looked: false });
/** The node was asked, and has no receipt. */
const withoutReceipt = (reason: string): Fate => ({ kind: "pending", reason, looked: true });

/** Reverts that time or a fresh approval cures; any other will happen again. */
export const mayPassLater = (revert: string): boolean =>
  /no quorum and vote active|voting round still active|not in reveal window|invalid revert encoding/i.test(
    revert,
  );

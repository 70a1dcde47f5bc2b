import { randomUUID } from "node:crypto";
import { type Guid, guidToUint, parseGuid } from "../../../domain/guid.ts";
import { MarketFault } from "../http/answer.ts";
import type { Gateway } from "../http/http.ts";
import type { MarketContracts } from "../port/marketplace.ts";
import type { Reads } from "./reads.ts";
import { readAs, UnsignedTransactions } from "./schemas.ts";

/** `settleBounty(uint128)`. */
const SETTLE_BOUNTY = "0x5592d687";

/**
 * The chain and the registry that the gateway builds transactions for. It publishes neither, but every transaction names
 * both, so a settlement is built and thrown away: nothing is signed, nothing is sent. A settlement because it needs no
 * more than a GUID, of any bounty. Throws MarketFault, MARKET_ANSWER_UNREADABLE when what is built settles nothing.
 */
export async function askContracts(
  parts: { readonly gateway: Gateway; readonly reads: Reads },
  signal?: AbortSignal,
): Promise<MarketContracts> {
  const guid = await someGuid(parts.reads, signal);
  const what = "the contracts it works with";
  const answer = await parts.gateway.ask({
    what,
    method: "POST",
    path: `/bounties/${guid}/settle`,
    query: { base_nonce: "0" },
    body: {},
    lane: "settle",
    repeatable: true,
    signal,
  });
  const { transactions } = readAs(UnsignedTransactions, what, answer);
  const [settlement] = transactions;
  if (settlement === undefined || transactions.length > 1) {
    throw unreadable(`a settlement of ${transactions.length} transactions`);
  }
  const { chainId, to: registry, data } = settlement;
  const wanted = SETTLE_BOUNTY + guidToUint(guid).toString(16).padStart(64, "0");
  if (data.toLowerCase() !== wanted) throw unreadable("a transaction that does not settle that bounty");
  if (chainId === 0n) throw unreadable("a transaction for any chain");
  return { chainId, registry };
}

/** A listed one where there is one: a gateway may look at what it is asked to build. */
async function someGuid(reads: Reads, signal: AbortSignal | undefined): Promise<Guid> {
  const listed = await reads.bountyPage(0, signal).catch((error: unknown) => {
    if (error instanceof MarketFault) return [];
    throw error;
  });
  return listed.at(-1) ?? parseGuid(randomUUID());
}

const unreadable = (instead: string): MarketFault =>
  new MarketFault(
    "MARKET_ANSWER_UNREADABLE",
    `Asked to build a settlement, the gateway hands over ${instead}.`,
    { reached: "yes", retryable: true },
  );

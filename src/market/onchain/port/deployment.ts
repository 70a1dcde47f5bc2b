/**
 * What is known of the marketplace's contracts without asking a gateway. Source: the published BountyRegistry 1.6.1 (its
 * constants cannot be changed after deployment, unlike its fees and windows) and the published test fixtures of the gateway.
 */
import { type Address, sameAddress } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";

/** Chain ids of the published test set-ups, home and side; the sandbox has the second. What is signed for them buys nothing elsewhere. */
const TEST_CHAIN_IDS: readonly bigint[] = [1337n, 1338n];

export interface Deployment {
  readonly community: string;
  readonly chain: ChainName;
  readonly chainId: bigint;
  readonly registry: Address;
  /** Where its addresses are published. */
  readonly source: string;
}

/**
 * Real marketplaces whose addresses are published by those who run them. None is known to be: the hosted communities'
 * addresses were handed out by their gateways alone. Add an entry with its source when one is.
 */
export const KNOWN_DEPLOYMENTS: readonly Deployment[] = [];

/**
 * Why contracts that a gateway names may be worked with; `unknown` when nothing but its own word speaks for them.
 *
 * - `known`       a published deployment.
 * - `named`       the operator named the registry, now or at an earlier start: the ledger has it pinned.
 * - `test-chain`  no real money.
 */
type Standing = "known" | "named" | "test-chain" | "unknown";

export function standingOf(
  chain: ChainName,
  { chainId, registry }: { readonly chainId: bigint; readonly registry: Address },
  named: readonly Address[],
  known: readonly Deployment[] = KNOWN_DEPLOYMENTS,
): Standing {
  const isKnown = known.some(
    (one) => one.chain === chain && one.chainId === chainId && sameAddress(one.registry, registry),
  );
  if (isKnown) return "known";
  if (named.some((one) => sameAddress(one, registry))) return "named";
  return TEST_CHAIN_IDS.includes(chainId) ? "test-chain" : "unknown";
}

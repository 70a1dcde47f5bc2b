import type { Address } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";
import { ConfigFault } from "../../../domain/fault.ts";
import { type Deployment, KNOWN_DEPLOYMENTS, standingOf } from "../port/deployment.ts";
import type { MarketContracts } from "../port/marketplace.ts";

/**
 * At the first contact with a marketplace nothing but the gateway's own word says that its contracts are the right ones,
 * and a made-up registry keeps every stake. Throws ConfigFault REGISTRY_UNKNOWN unless the registry is a published one,
 * was named by the operator (`named`; what the ledger has pinned was), or lies on a test chain, where no money is real.
 */
export function refuseUnknownRegistry(
  chain: ChainName,
  found: MarketContracts,
  named: readonly Address[],
  known: readonly Deployment[] = KNOWN_DEPLOYMENTS,
): void {
  if (standingOf(chain, found, named, known) !== "unknown") return;
  throw new ConfigFault(
    "REGISTRY_UNKNOWN",
    `NOTHING IS STAKED ON A MARKETPLACE THAT IS NOT KNOWN: the gateway works with registry ${found.registry} on chain id ` +
      `${found.chainId} (${chain}), and only its own word says that this is the marketplace you mean.`,
    {
      hint:
        "Learn the registry's address from those who run the marketplace, by another way than this gateway. If it is this " +
        `one, give --trust-registry ${found.registry} (variable TRUST_REGISTRY).`,
    },
  );
}

import { createHmac, hkdfSync } from "node:crypto";
import type { Address } from "../domain/address.ts";
import type { ChainName } from "../domain/chain.ts";
import type { Guid } from "../domain/guid.ts";

/**
 * Deterministic commitment nonces. A nonce must be secret until the reveal and must not be lost before it; derived from
 * the wallet key it is both, also when everything but the key is gone. The subkey is domain separated (HKDF), so that
 * a nonce, which becomes public, says nothing about the key or about other nonces.
 *
 * This is version 1 and binds for ever: `microengine recover` finds lost stakes by deriving their nonces again.
 */

/** What a nonce is bound to: one bounty of one registry on one chain. */
export interface NonceScope {
  readonly chainName: ChainName;
  readonly chainId: bigint;
  readonly registry: Address;
  readonly guid: Guid;
}

/** Returns the nonce for a scope: 1 to 2^256 - 1 (0 can never be revealed). */
export function commitmentNonces(privateKey: Uint8Array): (scope: NonceScope) => bigint {
  const subkey = Buffer.from(
    hkdfSync("sha256", privateKey, "microengine", "commitment nonce, version 1", 32),
  );
  return ({ chainName, guid, chainId, registry }) => {
    const scope = [chainName, chainId, registry.toLowerCase(), guid].join("\n");
    for (let attempt = 0; ; attempt++) {
      const nonce = createHmac("sha256", subkey).update(`${scope}\n${attempt}`).digest("hex");
      if (!/^0+$/.test(nonce)) return BigInt(`0x${nonce}`);
    }
  };
}

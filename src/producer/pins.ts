/** What a ledger holds fast about the marketplace and the wallet it was begun with. */
import type { ProducerConfig } from "../config/producer.ts";
import { type Address, parseAddress, sameAddress } from "../domain/address.ts";
import type { ChainName } from "../domain/chain.ts";
import { ConfigFault } from "../domain/fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Pins } from "../wallet/policy.ts";

/** What the operator configured; failing that, what this ledger has pinned on first use. */
export function pinsOf(
  chain: ChainName,
  config: Pick<ProducerConfig, "chainId" | "registryAddr" | "tokenAddr">,
  ledger: Ledger,
): Pins {
  const chainId = ledger.pin(chain, "chainId");
  const registry = ledger.pin(chain, "registry");
  const token = ledger.pin(chain, "token");
  return {
    chainId: config.chainId ?? (chainId === undefined ? undefined : BigInt(chainId)),
    registry: config.registryAddr ?? (registry === undefined ? undefined : parseAddress(registry)),
    token: config.tokenAddr ?? (token === undefined ? undefined : parseAddress(token)),
  };
}

export function storePins(chain: ChainName, pins: Pins, ledger: Ledger): void {
  if (pins.chainId !== undefined) ledger.setPin(chain, "chainId", pins.chainId.toString());
  if (pins.registry !== undefined) ledger.setPin(chain, "registry", pins.registry);
  if (pins.token !== undefined) ledger.setPin(chain, "token", pins.token);
}

/**
 * A commitment can only be revealed, and a stake only be settled, by the account that made it. Throws ConfigFault
 * WALLET_CHANGED when the ledger was begun by another.
 */
export function pinAccount(chain: ChainName, account: Address, ledger: Ledger): void {
  ledger.setPin(chain, "account", account);
  const pinned = ledger.pin(chain, "account") ?? account;
  if (sameAddress(pinned, account)) return;
  throw new ConfigFault(
    "WALLET_CHANGED",
    `The ledger holds the stakes of account ${pinned}, and the keyfile is that of ${account}.`,
    { hint: "Give the keyfile of that account, or another --data-dir (DATA_DIR) to this one." },
  );
}

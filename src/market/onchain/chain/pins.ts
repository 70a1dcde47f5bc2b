/**
 * What a ledger holds fast about the marketplace and the wallet it was begun with.
 *
 * Chain and registry come from three sides: what the operator configured, what the ledger has pinned, and what the gateway
 * builds transactions for. They must agree before anything is planned, because commitments are bound to both and the
 * wallet signs for nothing else. The token shows in the first approval only, and is pinned then.
 */
import { type Address, parseAddress, sameAddress } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";
import { ConfigFault } from "../../../domain/fault.ts";
import { PROMISED_STATES } from "../../../domain/lifecycle.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { Pins } from "../../../wallet/policy.ts";
import type { MarketContracts } from "../port/marketplace.ts";
import { MARKET_NOTES } from "./market-notes.ts";

/** Pins with which one can plan. */
export type KnownPins = Pins & MarketContracts;

/** The contracts that the operator named. */
export interface PinConfig {
  readonly chainId?: bigint | undefined;
  readonly registryAddr?: Address | undefined;
  readonly tokenAddr?: Address | undefined;
}

/** Throws ConfigFault PINS_AMBIGUOUS when one marketplace is configured for the contracts of several chains. */
export function refuseAmbiguousPins(config: PinConfig & { readonly chains: readonly ChainName[] }): void {
  const named = [config.chainId, config.registryAddr, config.tokenAddr].some((pin) => pin !== undefined);
  if (!named || config.chains.length < 2) return;
  throw new ConfigFault(
    "PINS_AMBIGUOUS",
    "--chain-id, --registry-addr and --token-addr name the contracts of one chain, and --chains names more.",
    { hint: "Leave them out: the ledger pins those of each chain at its first start." },
  );
}

/**
 * What the operator configured; failing that, what this ledger has pinned on first use. Writes nothing. Throws ConfigFault
 * PIN_CHANGED when the two differ while something promised under the pinned ones is still owed.
 */
export function pinsOf(chain: ChainName, config: PinConfig, ledger: Ledger): Pins {
  const pinned = pinnedIn(chain, ledger);
  const contracts = {
    chainId: config.chainId ?? pinned.chainId,
    registry: config.registryAddr ?? pinned.registry,
  };
  const moved = differences(pinned, contracts).length > 0;
  const pins = { ...contracts, token: config.tokenAddr ?? (moved ? undefined : pinned.token) };
  const changed = differences(pinned, pins);
  const promised = changed.length === 0 ? 0 : ledger.inStates(chain, PROMISED_STATES).length;
  if (promised === 0) return pins;
  throw new ConfigFault(
    "PIN_CHANGED",
    `The ledger has promised ${promised} ${promised === 1 ? "bounty" : "bounties"} on the ${chain} chain under another ` +
      `marketplace than the configured one: ${changed.join("; ")}.`,
    {
      hint:
        "Leave --chain-id, --registry-addr and --token-addr as they were until those are settled, " +
        "or give another --data-dir (DATA_DIR) to this marketplace.",
    },
  );
}

/**
 * Holds the marketplace against `pins` (of `pinsOf`) and returns them complete, stored in the ledger. What is pinned for
 * another registry than before begins anew. Throws ConfigFault CONTRACTS_CHANGED when they do not agree.
 */
export function settlePins(chain: ChainName, pins: Pins, found: MarketContracts, ledger: Ledger): KnownPins {
  const fault = contractsChanged(chain, pins, found);
  if (fault !== undefined) throw fault;
  const known = { ...found, token: pins.token };
  if (differences(pinnedIn(chain, ledger), known).length > 0) {
    ledger.replacePin(chain, "chainId", known.chainId.toString());
    ledger.replacePin(chain, "registry", known.registry);
    ledger.replacePin(chain, "token", known.token);
    for (const note of Object.values(MARKET_NOTES)) ledger.setNote(chain, note, undefined);
  }
  storePins(chain, known, ledger);
  return known;
}

/** The fault when a gateway builds for another chain or registry than the pins say; undefined when they agree. */
export function contractsChanged(
  chain: string,
  pins: Pins,
  { chainId, registry }: MarketContracts,
): ConfigFault | undefined {
  const changed = differences(pins, { chainId, registry });
  if (changed.length === 0) return undefined;
  return new ConfigFault(
    "CONTRACTS_CHANGED",
    `The gateway works with other contracts on the ${chain} chain than this producer: ${changed.join("; ")}.`,
    {
      hint:
        "Nothing was signed for them. If the marketplace has moved, settle what is promised on the old contracts, " +
        "then give the new --chain-id and --registry-addr; if it has not, do not trust this gateway.",
    },
  );
}

/** Pins what is not pinned yet. */
export function storePins(chain: ChainName, pins: Pins, ledger: Ledger): void {
  if (pins.chainId !== undefined) ledger.setPin(chain, "chainId", pins.chainId.toString());
  if (pins.registry !== undefined) ledger.setPin(chain, "registry", pins.registry);
  if (pins.token !== undefined) ledger.setPin(chain, "token", pins.token);
}

/**
 * A commitment can only be revealed, and a stake only be settled, by the account that made it. Throws ConfigFault
 * WALLET_CHANGED when the ledger holds an assertion of another. One that was begun with a wrong keyfile, and has come to
 * nothing yet, is bound to it no longer.
 */
export function pinAccount(chain: ChainName, account: Address, ledger: Ledger): void {
  const pinned = ledger.pin(chain, "account");
  if (pinned !== undefined && sameAddress(pinned, account)) return;
  if (pinned === undefined || !ledger.hasAsserted(chain)) {
    ledger.replacePin(chain, "account", account);
    return;
  }
  throw new ConfigFault(
    "WALLET_CHANGED",
    `The ledger holds the stakes of account ${pinned}, and the keyfile is that of ${account}.`,
    { hint: "Give the keyfile of that account, or another --data-dir (DATA_DIR) to this one." },
  );
}

function pinnedIn(chain: ChainName, ledger: Ledger): Pins {
  const chainId = ledger.pin(chain, "chainId");
  const registry = ledger.pin(chain, "registry");
  const token = ledger.pin(chain, "token");
  return {
    chainId: chainId === undefined ? undefined : BigInt(chainId),
    registry: registry === undefined ? undefined : parseAddress(registry),
    token: token === undefined ? undefined : parseAddress(token),
  };
}

/** Where two marketplaces differ, in words; what either does not know differs from nothing. */
function differences(ours: Pins, theirs: Pins): readonly string[] {
  const words: string[] = [];
  if (ours.chainId !== undefined && theirs.chainId !== undefined && ours.chainId !== theirs.chainId) {
    words.push(`chain id ${theirs.chainId} instead of ${ours.chainId}`);
  }
  for (const contract of ["registry", "token"] as const) {
    const [our, their] = [ours[contract], theirs[contract]];
    if (our !== undefined && their !== undefined && !sameAddress(our, their)) {
      words.push(`${contract} ${their} instead of ${our}`);
    }
  }
  return words;
}

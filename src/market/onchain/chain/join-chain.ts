import type { Address } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";
import type { Clock } from "../../../domain/instant.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { Logger } from "../../../observe/log.ts";
import { openSigner, type Wallet } from "../../../wallet/signer.ts";
import type { Signer } from "../../../wallet/transaction.ts";
import { joinPolyswarmd, type PolyswarmdOptions } from "../gateway/client.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { learnContracts } from "./contracts-watch.ts";
import { type KnownPins, type PinConfig, pinAccount, pinsOf, settlePins, storePins } from "./pins.ts";
import { refuseUnknownRegistry } from "./registry-trust.ts";
import { rememberedParameters, rememberParameters } from "./remembered-parameters.ts";

/** What the operator configured of a marketplace behind a gateway. */
export interface JoinConfig extends PinConfig {
  readonly polyswarmdAddr: string;
  readonly apiKey?: string | undefined;
  readonly allowKeyOverHttp: boolean;
  /** Seconds to keep trying to reach the gateway. */
  readonly wait: number;
  readonly trustRegistry: readonly Address[];
  /** Base units. */
  readonly maxGasPrice: bigint;
}

export interface JoinParts {
  readonly config: JoinConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  /** For how long `start` asks a gateway that does not answer: with stakes open for as long as it takes. Default: `--wait`. */
  readonly patience?: "as-configured" | "endless";
  /** Wraps the wallet as the market client uses it. */
  readonly watched?: (wallet: Wallet) => Signer;
  /** Of what the market client would not take. */
  readonly counts?: Pick<PolyswarmdOptions, "onMalformedEvent" | "onDroppedEvent" | "onClaimsRefused">;
}

/** A chain's marketplace and the wallet that signs for it; listeners are added before anything is asked. */
export interface JoinedChain {
  readonly chain: ChainName;
  readonly wallet: Wallet;
  readonly market: Marketplace;
  /** Remembers the market's parameters for the next start, until it is disposed of. */
  listen(): Disposable;
  /**
   * Starts the market client, and holds the wallet to the chain and the contracts that configuration, ledger and gateway
   * agree on. Throws ConfigFault or Fault where they do not.
   */
  start(signal: AbortSignal): Promise<KnownPins>;
}

/** Binds the account to the ledger. Throws ConfigFault when configuration and ledger contradict each other. */
export function joinChain(chain: ChainName, parts: JoinParts): JoinedChain {
  const { config, ledger, clock, log, watched = (same) => same } = parts;
  const expected = pinsOf(chain, config, ledger);
  const wallet = openSigner(parts.privateKey, {
    pins: expected,
    gasPriceCap: config.maxGasPrice,
    onPins: (pins) => storePins(chain, pins, ledger),
  });
  pinAccount(chain, wallet.address, ledger);
  const waitMs = parts.patience === "endless" ? Number.POSITIVE_INFINITY : config.wait * 1_000;
  const market = joinPolyswarmd({
    addr: config.polyswarmdAddr,
    chain,
    signer: watched(wallet),
    ...(config.apiKey === undefined ? {} : { apiKey: config.apiKey }),
    allowKeyOverHttp: config.allowKeyOverHttp,
    waitMs,
    log: log.child({ chain }),
    clock,
    random: Math.random,
    remembered: rememberedParameters(chain, ledger),
    ...parts.counts,
  });
  return {
    chain,
    wallet,
    market,
    listen: () => {
      const listening = new DisposableStack();
      listening.defer(market.on("parameters", (parameters) => rememberParameters(chain, parameters, ledger)));
      return listening;
    },
    async start(signal) {
      await market.start(signal);
      const found = await learnContracts(market, expected, waitMs, signal);
      const named = expected.registry === undefined ? config.trustRegistry : [expected.registry];
      refuseUnknownRegistry(chain, found, named);
      const pins = settlePins(chain, expected, found, ledger);
      wallet.hold(pins);
      return pins;
    },
  };
}

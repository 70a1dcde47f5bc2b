/**
 * The one file that knows which kinds of marketplaces there are, and opens them by what the operator configured. A new kind is a
 * folder below src/market and its lines here.
 */
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { RECOVERY_DEFAULTS } from "../../config/values/recovery-defaults.ts";
import type { MarketId } from "../../domain/bounty.ts";
import { CHAIN_NAMES, type ChainName } from "../../domain/chain.ts";
import { parseGatewayAddress, refuseKeyOverHttp } from "../../domain/gateway-address.ts";
import type { Clock } from "../../domain/instant.ts";
import { STAKED_STATES } from "../../domain/lifecycle.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { refuseAmbiguousPins } from "../../market/onchain/chain/pins.ts";
import { resendReveals } from "../../market/onchain/early/resend-reveals.ts";
import type { OnchainParts } from "../../market/onchain/open-onchain.ts";
import { ONCHAIN_LEVELS, type TellOnchain } from "../../market/onchain/port/events.ts";
import type { Market } from "../../market/port.ts";
import type { TellRecover } from "../../market/recovery-events.ts";
import type { Logger } from "../../observe/log.ts";
import type { Tell } from "../events/events.ts";

type MarketsConfig = OnchainParts["config"] & Pick<ProducerConfig, "chains">;

export interface MarketParts {
  readonly config: MarketsConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly tellRecover: TellRecover;
  readonly log: Logger;
  /** Whether a marketplace where something is staked is asked for as long as it takes. */
  readonly patience: "while-staked" | "as-configured";
  /** Verdicts that a start tries at most for an answer that the ledger lost. Default: what `recover` does. */
  readonly tries?: number;
  /** Of microengine. */
  readonly version: string;
  /** Counts transactions that the wallet refused to sign. */
  readonly onRefused?: NonNullable<OnchainParts["onRefused"]>;
  /** Counts what a market client would not take. */
  readonly counts?: NonNullable<OnchainParts["counts"]>;
}

/** Levels of the log for what marketplaces tell of their own. */
export const MARKET_LEVELS = ONCHAIN_LEVELS;

/** The marketplaces that are configured. */
export const marketIds = ({ chains }: Pick<MarketsConfig, "chains">): readonly MarketId[] => chains;

/** Throws ConfigFault for what can be found wrong before anything is opened. */
export function checkMarkets(config: MarketsConfig): void {
  refuseKeyOverHttp(parseGatewayAddress(config.polyswarmdAddr), config.apiKey, {
    allowed: config.allowKeyOverHttp,
  });
  refuseAmbiguousPins(config);
}

/**
 * Sends what an earlier run had signed and what is lost when it comes too late, before anything else is loaded. Resolves when it is
 * with the marketplaces, or that takes too long. Never rejects.
 */
export const sendAgainEarly = (
  parts: Pick<MarketParts, "config" | "ledger" | "tell"> & { readonly signal: AbortSignal },
): Promise<void> => resendReveals({ ...parts, tell: onchain(parts.tell) });

/** What opening marketplaces loads, piece by piece: see start/in-turns.ts. */
export const MARKET_PIECES: readonly (() => Promise<unknown>)[] = [
  () => import("undici"),
  () => import("ws"),
  () => import("../../market/onchain/reads/schemas.ts"),
  () => import("../../market/onchain/stream/event-stream.ts"),
  () => import("../../market/onchain/gateway/client.ts"),
  () => import("../../wallet/signer.ts"),
  () => import("../../market/onchain/settlement/perform.ts"),
  () => import("../../market/onchain/open-onchain.ts"),
];

/** Throws ConfigFault when configuration and ledger contradict each other. */
export async function openMarket(id: MarketId, parts: MarketParts): Promise<Market> {
  const { openOnchain } = await import("../../market/onchain/open-onchain.ts");
  const { patience, tell, tries = RECOVERY_DEFAULTS.tries, ...more } = parts;
  const isStaked = parts.ledger.inStates(id, STAKED_STATES).length > 0;
  return openOnchain(chainNamed(id), {
    ...more,
    tell: onchain(tell),
    tries,
    patience: patience === "while-staked" && isStaked ? "endless" : "as-configured",
  });
}

/** Every event has its name in one map or another, and the log and the metrics take them all. */
const onchain =
  (tell: Tell): TellOnchain =>
  (event, facts) =>
    tell(event as never, facts as never);

function chainNamed(id: MarketId): ChainName {
  const chain = CHAIN_NAMES.find((name) => name === id);
  if (chain === undefined) throw new TypeError(`No marketplace is configured by the name ${id}.`);
  return chain;
}

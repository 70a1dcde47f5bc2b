import { setTimeout as sleep } from "node:timers/promises";
import { sameAddress } from "../../../domain/address.ts";
import { ConfigFault, describeError, Fault } from "../../../domain/fault.ts";
import type { Clock } from "../../../domain/instant.ts";
import type { Pins } from "../../../wallet/policy.ts";
import type { MarketContracts, Marketplace } from "../port/marketplace.ts";
import { contractsChanged, type KnownPins } from "./pins.ts";

const ASK_AGAIN_MS = 1_000;
const WATCH_PAUSE_MS = 10_000;
/** What the gateway said it may say again for a second. */
const CONFIRM_AFTER_MS = 1_500;

/**
 * Asks which contracts the gateway works with until it says so. Other contracts than the pinned ones, and the very first to
 * be pinned, are believed when it says them twice in a row: they bind for long. Throws ConfigFault CONTRACTS_UNKNOWN when it
 * does not within `waitMs`, or never will.
 */
export async function learnContracts(
  market: Marketplace,
  pins: Pins,
  waitMs: number,
  signal: AbortSignal,
): Promise<MarketContracts> {
  const giveUpAt = performance.now() + waitMs;
  let before: MarketContracts | undefined;
  for (;;) {
    try {
      const found = await market.contracts(signal);
      if (isPinned(market, pins, found) || (before !== undefined && same(before, found))) return found;
      const first = before === undefined;
      before = found;
      if (first) continue;
    } catch (error) {
      signal.throwIfAborted();
      const again = error instanceof Fault && error.retryable && performance.now() + ASK_AGAIN_MS < giveUpAt;
      if (!again) throw contractsUnknown(market, error);
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

const isPinned = ({ id: chain }: Marketplace, pins: Pins, found: MarketContracts): boolean =>
  pins.chainId !== undefined &&
  pins.registry !== undefined &&
  contractsChanged(chain, pins, found) === undefined;

const same = (a: MarketContracts, b: MarketContracts): boolean =>
  a.chainId === b.chainId && sameAddress(a.registry, b.registry);

const contractsUnknown = ({ id: chain }: Marketplace, cause: unknown): ConfigFault =>
  new ConfigFault(
    "CONTRACTS_UNKNOWN",
    `The gateway does not say which contracts it works with on the ${chain} chain: ${describeError(cause)}`,
    { hint: "Nothing can be promised without; --wait says how long to keep trying.", cause },
  );

/**
 * Looks into it when the gateway hands over a transaction that was not asked for: when it has begun to work with other
 * contracts, and says so once more a moment later, `changed` is called, once. Anything else wrong with a transaction is a
 * matter of that transaction alone. The returned function ends the watch.
 */
export function watchContracts(
  parts: {
    readonly market: Marketplace;
    readonly pins: KnownPins;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** Before it is asked the second time. */
    readonly pause?: (signal: AbortSignal) => Promise<unknown>;
  },
  changed: (fault: ConfigFault) => void,
): () => void {
  const { market, pins, clock, signal } = parts;
  const pause = parts.pause ?? ((until) => sleep(CONFIRM_AFTER_MS, undefined, { signal: until, ref: false }));
  let askedAt = Number.NEGATIVE_INFINITY;
  let told = false;
  const look = async (): Promise<void> => {
    if (contractsChanged(market.id, pins, await market.contracts(signal)) === undefined) return;
    await pause(signal);
    const fault = contractsChanged(market.id, pins, await market.contracts(signal));
    if (fault === undefined || told) return;
    told = true;
    changed(fault);
  };
  return market.on("refused", () => {
    const now = clock.now();
    const age = now - askedAt;
    if (age >= 0 && age < WATCH_PAUSE_MS) return;
    askedAt = now;
    // A gateway that cannot be asked now is asked at the next refusal.
    void look().catch(() => undefined);
  });
}

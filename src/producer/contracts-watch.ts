import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../domain/chain.ts";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import type { MarketContracts, Marketplace } from "../market/port.ts";
import { contractsChanged, type KnownPins } from "./pins.ts";

const ASK_AGAIN_MS = 1_000;
const WATCH_PAUSE_MS = 10_000;

/**
 * Asks which contracts the gateway works with until it says so. Throws ConfigFault CONTRACTS_UNKNOWN when it does not
 * within `waitMs`, or never will.
 */
export async function learnContracts(
  market: Marketplace,
  waitMs: number,
  signal: AbortSignal,
): Promise<MarketContracts> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    try {
      return await market.contracts(signal);
    } catch (error) {
      signal.throwIfAborted();
      const again = error instanceof Fault && error.retryable && performance.now() + ASK_AGAIN_MS < giveUpAt;
      if (!again) throw contractsUnknown(market, error);
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

const contractsUnknown = ({ chain }: Marketplace, cause: unknown): ConfigFault =>
  new ConfigFault(
    "CONTRACTS_UNKNOWN",
    `The gateway does not say which contracts it works with on the ${chain} chain: ${describeError(cause)}`,
    { hint: "Nothing can be promised without; --wait says how long to keep trying.", cause },
  );

/**
 * Looks into it when the gateway hands over a transaction that was not asked for: when it has begun to work with other
 * contracts, `changed` is called, once. Anything else wrong with a transaction is a matter of that transaction alone.
 */
export function watchContracts(
  parts: {
    readonly market: Marketplace;
    readonly pins: KnownPins;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
  changed: (fault: ConfigFault) => void,
): void {
  const { market, pins, clock, signal } = parts;
  let askedAt = Number.NEGATIVE_INFINITY;
  let told = false;
  const look = async (): Promise<void> => {
    const fault = contractsChanged(market.chain, pins, await market.contracts(signal));
    if (fault === undefined || told) return;
    told = true;
    changed(fault);
  };
  market.on("refused", () => {
    const now = clock.now();
    const age = now - askedAt;
    if (age >= 0 && age < WATCH_PAUSE_MS) return;
    askedAt = now;
    // A gateway that cannot be asked now is asked at the next refusal.
    void look().catch(() => undefined);
  });
}

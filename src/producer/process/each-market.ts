import { setTimeout as sleep } from "node:timers/promises";

/** The gateway answers for one chain what it said of another less than a second ago. */
const GATEWAY_CACHE_MS = 1_500;

/** Opens marketplaces, one after the other: some may be chains of one gateway. Rejects with the signal's reason. */
export async function openEach<Each>(
  markets: readonly Each[],
  open: (market: Each) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, market] of markets.entries()) {
    if (index > 0) await sleep(GATEWAY_CACHE_MS, undefined, { signal });
    await open(market);
  }
}

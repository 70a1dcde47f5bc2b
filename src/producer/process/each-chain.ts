import { setTimeout as sleep } from "node:timers/promises";

/** The gateway answers for one chain what it said of another less than a second ago. */
const GATEWAY_CACHE_MS = 1_500;

/** Opens what a gateway is asked about, one chain after the other. Rejects with the signal's reason. */
export async function openEach<Chain>(
  chains: readonly Chain[],
  open: (chain: Chain) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, chain] of chains.entries()) {
    if (index > 0) await sleep(GATEWAY_CACHE_MS, undefined, { signal });
    await open(chain);
  }
}

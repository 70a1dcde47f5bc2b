import { setTimeout as sleep } from "node:timers/promises";
import type { MarketParameters } from "../../domain/bounty.ts";
import { ConfigFault } from "../../domain/fault.ts";
import type { Logger } from "../../observe/log.ts";
import { MarketFault } from "./answer.ts";
import type { HeadWatch } from "./head-watch.ts";
import type { Gateway } from "./http.ts";
import type { Reads } from "./reads.ts";
import { type GatewayAddress, unreachable, whyUnreachable } from "./unreachable.ts";

export interface GreetingParts {
  readonly gateway: Gateway;
  readonly reads: Reads;
  readonly head: HeadWatch;
  readonly address: GatewayAddress;
  readonly log: Logger;
  /** How long to go on trying; 0 gives up at the first trouble. */
  readonly waitMs: number;
}

const RETRY_MS = 1_000;

/**
 * The first words with a gateway: that it speaks our dialect, what it charges, how far the chain is. Throws ConfigFault
 * POLYSWARMD_UNREACHABLE when nobody answered in time or nobody who is a polyswarmd, POLYSWARMD_DIALECT_UNSUPPORTED,
 * or API_KEY_REFUSED.
 */
export async function greet(parts: GreetingParts, signal: AbortSignal): Promise<MarketParameters> {
  const giveUpAt = performance.now() + parts.waitMs;
  let told: string | undefined;
  for (;;) {
    try {
      return await greetOnce(parts, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MarketFault)) throw error;
      const reason = whyUnreachable(parts.address, error);
      if (!error.retryable || performance.now() + RETRY_MS > giveUpAt) {
        throw unreachable(parts.address, reason, error);
      }
      const leftMs = Math.round(giveUpAt - performance.now());
      const level = reason === told ? "debug" : "warn";
      parts.log[level]({ addr: parts.address.base, reason, leftMs }, "market.unreachable");
      told = reason;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}

async function greetOnce(parts: GreetingParts, signal: AbortSignal): Promise<MarketParameters> {
  const { gateway, reads, head, address } = parts;
  const options = { signal, repeatable: false };
  const what = "the dialect it speaks";
  const path = "/wallets/";
  const probe = await gateway.status({ what, method: "OPTIONS", path, lane: "read", ...options });
  if (probe >= 200 && probe < 300) {
    await refuseOther(reads.parameters(options));
    throw new ConfigFault(
      "POLYSWARMD_DIALECT_UNSUPPORTED",
      `The gateway at ${address.base} speaks the dialect of signed messages (polyswarmd-fast), which microengine does not.`,
      { hint: "Use a polyswarmd that works with contracts." },
    );
  }
  const [parameters] = await Promise.all([reads.parameters(options), head.ask(options)]);
  return parameters;
}

/** A web site says yes to OPTIONS as well; what it says next is no polyswarmd's answer of either dialect. */
async function refuseOther(parameters: Promise<unknown>): Promise<void> {
  try {
    await parameters;
  } catch (error) {
    if (error instanceof MarketFault && error.code === "MARKET_ANSWER_UNREADABLE") throw error;
  }
}

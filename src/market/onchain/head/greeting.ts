import { setTimeout as sleep } from "node:timers/promises";
import { RecentKeys } from "../../../async/recent-keys.ts";
import { ConfigFault } from "../../../domain/fault.ts";
import type { Logger } from "../../../observe/log.ts";
import { MarketFault } from "../http/answer.ts";
import type { Gateway } from "../http/http.ts";
import { type GatewayAddress, gatewayUnreachable, whyUnreachable } from "../http/unreachable.ts";
import type { HeadWatch } from "./head-watch.ts";
import type { TermsWatch } from "./terms-watch.ts";

interface GreetingParts {
  readonly gateway: Gateway;
  readonly terms: TermsWatch;
  readonly head: HeadWatch;
  /** Opens the event stream; called when something answers. */
  readonly listen: () => void;
  readonly address: GatewayAddress;
  readonly log: Logger;
  /** How long to go on trying; 0 gives up at the first trouble, infinity never does. */
  readonly waitMs: number;
}

const RETRY_MS = 1_000;
/** A gateway repeats an error for a second, and a service behind it may be starting: what looks final is asked for again. */
const FINAL_MS = 5_000;
/** What the gateway said it says again for a second. */
const CACHED_MS = 1_500;

/**
 * The first questions to a gateway: whether it speaks our dialect, what it charges, how far the chain is. The newest block comes
 * from its status or from the event stream, whichever is first: the status fails as a whole when any service behind the
 * gateway does. Throws ConfigFault POLYSWARMD_UNREACHABLE when nothing, or no polyswarmd, answered in time,
 * POLYSWARMD_DIALECT_UNSUPPORTED, or API_KEY_REFUSED.
 */
export async function greet(parts: GreetingParts, signal: AbortSignal): Promise<void> {
  const beganAt = performance.now();
  const told = new RecentKeys(1);
  for (;;) {
    try {
      await greetOnce(parts, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MarketFault)) throw error;
      const reason = whyUnreachable(parts.address, error);
      const patienceMs = patienceWith(error, parts.waitMs);
      if (performance.now() + RETRY_MS > beganAt + patienceMs) {
        throw gatewayUnreachable(parts.address, reason, error);
      }
      const leftMs = Math.round(beganAt + patienceMs - performance.now());
      const level = told.add(reason) ? "warn" : "debug";
      const until = Number.isFinite(leftMs) ? { leftMs } : {};
      parts.log[level]({ addr: parts.address.base, reason, ...until }, "market.unreachable");
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}

const patienceWith = ({ retryable }: MarketFault, waitMs: number): number =>
  retryable || waitMs === Number.POSITIVE_INFINITY ? waitMs : Math.min(waitMs, FINAL_MS);

async function greetOnce(parts: GreetingParts, signal: AbortSignal): Promise<void> {
  const { gateway, terms, head, address } = parts;
  const options = { signal, repeatable: false };
  const what = "the dialect it speaks";
  const path = "/wallets/";
  const probe = await gateway.status({ what, method: "OPTIONS", path, lane: "read", ...options });
  if (probe >= 200 && probe < 300) {
    await refuseOther(terms.ask(signal, { repeatable: false }));
    throw new ConfigFault(
      "POLYSWARMD_DIALECT_UNSUPPORTED",
      `The gateway at ${address.base} speaks the dialect of signed messages (polyswarmd-fast), which microengine does not.`,
      { hint: "Use a polyswarmd that works with contracts." },
    );
  }
  parts.listen();
  const learning = learnTerms(terms, signal);
  const asking = head.number() === undefined ? head.ask(options) : undefined;
  const [learnt, heard] = await Promise.allSettled([learning, Promise.race([head.reached, asking])]);
  if (learnt.status === "rejected") throw learnt.reason;
  if (heard.status === "rejected" && head.number() === undefined) throw heard.reason;
}

/** Other parameters than an earlier run knew are believed when two answers agree, some time apart. */
async function learnTerms(terms: TermsWatch, signal: AbortSignal): Promise<void> {
  for (let asked = 0; !terms.known(); asked++) {
    if (asked > 0) await sleep(CACHED_MS, undefined, { signal });
    await terms.ask(signal, { repeatable: false });
  }
}

/** A web site says yes to OPTIONS as well; what it says next is no polyswarmd's answer of either dialect. */
async function refuseOther(parameters: Promise<unknown>): Promise<void> {
  try {
    await parameters;
  } catch (error) {
    if (error instanceof MarketFault && error.code === "MARKET_ANSWER_UNREADABLE") throw error;
  }
}

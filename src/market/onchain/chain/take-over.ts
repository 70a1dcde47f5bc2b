import { timeoutSignal } from "../../../async/long-timer.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import { expirationOf } from "../port/details.ts";
import type { TellOnchain } from "../port/events.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { inTimeToReveal, revealIsDue } from "../port/windows.ts";
import { type LookDeadlines, writeOffIfAnew } from "./chain-anew.ts";
import { resendSigned } from "./resend-signed.ts";

interface TakeOverParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly tell: TellOnchain;
}

/**
 * What an earlier run signed goes before what is signed now, and a chain that began anew is told apart first; but a gateway
 * that takes its time must not hold up a reveal.
 */
const RESEND_MS = 5_000;
/** The same where a reveal is due that was not signed yet: a supervisor may end this process again in a few seconds. */
const RESEND_WHEN_DUE_MS = 1_000;
/** A chain that seems to have begun anew is looked at twice, three seconds apart; the second look may take as long again. */
const SECOND_LOOK_MS = 8_000;

/**
 * Takes over from an earlier run, once the newest block is known: sends what it signed, and writes off what lies on a chain that is
 * no more. Rejects with the signal's reason.
 */
export async function takeOver({ market, ledger, tell }: TakeOverParts, signal: AbortSignal): Promise<void> {
  const unrevealed = ledger.inStates(market.id, ["asserted"]).map(({ bounty }) => expirationOf(bounty));
  const patienceMs = resendPatienceMs(unrevealed, market.parameters().revealWindow, market.head());
  const enough = AbortSignal.any([signal, timeoutSignal(patienceMs)]);
  await Promise.race([resendSigned({ market, ledger, tell }, signal), aborted(enough)]);
  const { revealWindow } = market.parameters();
  if (!canStillReveal(unrevealed, revealWindow, market.head()))
    await writeOffIfAnew({ market, ledger, tell }, looks(signal)).catch(() => undefined);
  signal.throwIfAborted();
}

/** Both looks have time of their own, whatever handing over took. */
function looks(signal: AbortSignal): LookDeadlines {
  const within = (ms: number) => AbortSignal.any([signal, timeoutSignal(ms)]);
  return { first: within(RESEND_MS), second: within(RESEND_MS + SECOND_LOOK_MS) };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Whether a reveal is due and in time: then nothing is looked into first. On a chain that began anew it seldom seems so. */
export const canStillReveal = (expirations: readonly number[], revealWindow: number, head: number): boolean =>
  expirations.some(
    (expiration) =>
      revealIsDue(expiration, revealWindow, head) && inTimeToReveal(expiration, revealWindow, head),
  );

/** How long a start waits for what an earlier run signed, by the blocks in which the unrevealed bounties expire. */
export const resendPatienceMs = (
  expirations: readonly number[],
  revealWindow: number,
  head: number,
): number =>
  expirations.some((expiration) => revealIsDue(expiration, revealWindow, head))
    ? RESEND_WHEN_DUE_MS
    : RESEND_MS;

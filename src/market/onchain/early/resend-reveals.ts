/**
 * The first thing that a start does: it hands over the reveals that an earlier run had signed, before the key is opened, a market
 * is joined, or anything else is loaded that a start needs.
 *
 * That can cost nothing (decision 22): the bytes are in the ledger because they were signed for a reveal that was due. They
 * can be mined once or never, for the account, the chain and the contract that they name, also while another has the lease.
 * Whether they arrived is not waited for: the duties look into it, and hand over again what did not.
 */

import { timeoutSignal } from "../../../async/long-timer.ts";
import { CHAIN_NAMES, type ChainName } from "../../../domain/chain.ts";
import { parseGatewayAddress } from "../../../domain/gateway-address.ts";
import { type HttpProxy, proxyFor } from "../../../http/proxy.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { SignedTransaction } from "../../../wallet/transaction.ts";
import type { TellOnchain } from "../port/events.ts";
import { transactionOf } from "../port/journal.ts";

interface RevealsToResend {
  readonly config: {
    readonly polyswarmdAddr: string;
    readonly apiKey?: string | undefined;
    readonly chains: readonly ChainName[];
  };
  readonly ledger: Pick<Ledger, "pin" | "openEntries">;
  readonly tell: TellOnchain;
  readonly signal: AbortSignal;
  /** Says what proxy to use. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The gateway takes at most ten transactions at a time. */
const MOST = 10;
const TIMEOUT_MS = 2_500;

/** Resolves when the gateway answered, or did not in time. Never rejects. */
export async function resendReveals(parts: RevealsToResend): Promise<void> {
  await Promise.all(
    CHAIN_NAMES.filter((chain) => parts.config.chains.includes(chain)).map((chain) => onChain(chain, parts)),
  );
}

async function onChain(chain: ChainName, parts: RevealsToResend): Promise<void> {
  const { ledger, tell } = parts;
  const account = ledger.pin(chain, "account");
  const reveals = ledger.openEntries(chain).map(transactionOf);
  if (account === undefined || reveals.length === 0) return;
  const posting: Promise<unknown>[] = [];
  for (let from = 0; from < reveals.length; from += MOST) {
    posting.push(post(reveals.slice(from, from + MOST), { ...parts, account, chain }));
  }
  tell("reveals.handed-over", {
    market: chain,
    reveals: reveals.length,
    sinceStartMs: Math.round(performance.now()),
  });
  await Promise.allSettled(posting);
}

/** Several at once need an API key; without one, and when that is refused, they go one after the other. */
async function post(
  reveals: readonly SignedTransaction[],
  to: RevealsToResend & { readonly account: string; readonly chain: ChainName },
): Promise<void> {
  if (reveals.length === 0) return;
  const { config, account, chain, signal } = to;
  const query = new URLSearchParams({ account, chain });
  const base = parseGatewayAddress(config.polyswarmdAddr);
  const ask = await asker(proxyFor(new URL(base), to.env ?? process.env));
  const answer = await ask(`${base}/transactions?${query}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(config.apiKey === undefined ? {} : { authorization: config.apiKey }),
    },
    body: JSON.stringify({ transactions: reveals.map(({ raw }) => raw) }),
    redirect: "error",
    signal: AbortSignal.any([signal, timeoutSignal(TIMEOUT_MS)]),
  });
  await answer.body?.cancel();
  if (answer.status !== 403 || reveals.length === 1) return;
  for (const reveal of reveals) await post([reveal], to);
}

type Fetch = (
  url: string,
  init: Pick<RequestInit, "method" | "redirect" | "signal"> & {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
) => Promise<{ readonly status: number; readonly body: { cancel(): Promise<void> } | null }>;

/** Through a proxy, where there is one, as everything else goes; what that needs is loaded then only. */
async function asker(proxy: HttpProxy | undefined): Promise<Fetch> {
  if (proxy === undefined) return fetch;
  const [{ fetch: fetchBy }, { openDispatcher }] = await Promise.all([
    import("undici"),
    import("../../../http/dispatcher.ts"),
  ]);
  const dispatcher = openDispatcher(proxy, { keepAliveTimeout: 1_000, connectTimeout: TIMEOUT_MS });
  return (url, init) => fetchBy(url, { ...init, dispatcher });
}

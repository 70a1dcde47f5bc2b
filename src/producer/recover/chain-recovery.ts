import type { RecoverConfig } from "../../config/commands/recover.ts";
import { block, type ChainName, type Clock } from "../../domain/chain.ts";
import type { Guid } from "../../domain/guid.ts";
import { PROMISED_STATES } from "../../domain/lifecycle.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Logger } from "../../observe/log.ts";
import { createBlockClock } from "../../market/onchain/chain/block-clock.ts";
import { joinChain } from "../../market/onchain/chain/join-chain.ts";
import { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import { BalanceReservations } from "../funds/balance-reservations.ts";
import type { TellRecover } from "../../market/onchain/recovery/events.ts";
import type { Recovered } from "../../market/onchain/recovery/recover-bounty.ts";
import type { RecoveryCounts } from "./recovery-counts.ts";
import type { ScanAgain } from "./scan-again.ts";
import { searchBounties } from "../../market/onchain/recovery/search.ts";

interface ChainRecoveryParts {
  readonly config: RecoverConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly tellRecover: TellRecover;
  readonly counts: RecoveryCounts;
  readonly log: Logger;
  readonly scanAgain: ScanAgain;
  /** Of microengine. */
  readonly version: string;
}

/** What was lost on one chain, being found again. */
export interface ChainRecovery extends AsyncDisposable {
  /** Looks through the marketplace's bounties. Never rejects: what went wrong is told and counted. */
  recover(): Promise<void>;
  /** Resolves when nothing is left to reveal or to settle, or when we are asked to stop. */
  settle(): Promise<void>;
  /** Begins nothing more and finishes what is on its way. */
  stop(): Promise<void>;
  /** Bounties that still need a reveal or a settlement. */
  open(): number;
}

/** Joins the chain's marketplace; resolves when its parameters, newest block and contracts are known. */
export async function openChainRecovery(
  chain: ChainName,
  parts: ChainRecoveryParts,
  signal: AbortSignal,
): Promise<ChainRecovery> {
  const { config, ledger, clock, tell, tellRecover, counts, log, scanAgain, version } = parts;
  const { wallet, market, listen, start } = joinChain(chain, {
    config,
    privateKey: parts.privateKey,
    ledger,
    clock,
    log,
  });
  await using opening = new AsyncDisposableStack();
  opening.use(market);
  const listening = opening.use(new DisposableStack());
  listening.use(listen());
  const { chainId, registry } = await start(signal);

  const blocks = createBlockClock(market.head(), clock.now());
  listening.defer(market.on("block", ({ number }) => blocks.observe(number, clock.now())));
  const duties = new Duties({
    market,
    ledger,
    clock,
    tell,
    onSettled: (_guid, payout) => counts.settled(payout),
    reservations: new BalanceReservations(() => market.balance(), clock),
    feeCeiling: config.maxFee,
  });
  listening.use(duties.listen());
  const recovery = {
    market,
    ledger,
    clock,
    version,
    tell: tellRecover,
    tries: config.tries,
    nonceFor: (guid: Guid) => wallet.commitmentNonce({ chainName: chain, chainId, registry, guid }),
    instantOf: (number: number) => blocks.instantOf(block(number)),
    rescan: scanAgain.rescan,
  };
  tellRecover("recover.begun", { market: chain, account: wallet.address, head: market.head() });
  opening.move();

  return {
    async recover() {
      if (!config.ledgerOnly) duties.resume();
      const found = (guid: Guid, result: Recovered): void => {
        counts.look(result);
        if (result === "rebuilt" && !config.ledgerOnly) void duties.take(guid, clock.now());
      };
      const whole = await searchBounties({ recovery, blocks: config.blocks, found }, signal);
      if (!whole) counts.cutShort();
    },
    settle: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (duties.open() === 0 || signal.aborted) resolve();
      };
      const off = market.on("block", look);
      signal.addEventListener("abort", look, { once: true });
      look();
      return promise.finally(() => {
        off();
        signal.removeEventListener("abort", look);
      });
    },
    stop: () => duties.stop(),
    open: () => ledger.inStates(chain, PROMISED_STATES).length,
    async [Symbol.asyncDispose]() {
      // After a stop that took too long a duty may still be under way: nothing more is begun.
      void duties.stop();
      await market[Symbol.asyncDispose]();
      listening.dispose();
    },
  };
}

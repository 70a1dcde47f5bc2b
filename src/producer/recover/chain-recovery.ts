import type { RecoverConfig } from "../../config/recover.ts";
import { createBlockClock } from "../../domain/block-clock.ts";
import { block, type ChainName, type Clock } from "../../domain/chain.ts";
import { describeError } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import { PROMISED_STATES } from "../../domain/lifecycle.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Logger } from "../../observe/log.ts";
import { settledWithin } from "../../queue/within.ts";
import { Duties } from "../duties.ts";
import type { Tell } from "../events.ts";
import { joinChain } from "../join-chain.ts";
import { Purse } from "../purse.ts";
import type { TellRecover } from "./events.ts";
import { recoverBounty } from "./recover-bounty.ts";
import type { ScanAgain } from "./scan-again.ts";
import type { Tally } from "./tally.ts";
import { walk } from "./walk.ts";

export interface ChainRecoveryParts {
  readonly config: RecoverConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly tellRecover: TellRecover;
  readonly tally: Tally;
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

const TELL_EVERY = 250;
/** Artifacts being scanned anew must not keep the walk from bounties whose reveal is due; it goes on without them. */
const PATIENCE_MS = 1_000;

/** Joins the chain's marketplace; resolves when its parameters, newest block and contracts are known. */
export async function openChainRecovery(
  chain: ChainName,
  parts: ChainRecoveryParts,
  signal: AbortSignal,
): Promise<ChainRecovery> {
  const { config, ledger, clock, tell, tellRecover, tally, log, scanAgain, version } = parts;
  const { wallet, market, start } = joinChain(chain, {
    ...{ config, privateKey: parts.privateKey, ledger, clock, log },
  });
  await using opening = new AsyncDisposableStack();
  opening.use(market);
  const { chainId, registry } = await start(signal);

  const blocks = createBlockClock(market.head(), clock.now());
  market.on("block", ({ number }) => blocks.observe(number, clock.now()));
  const duties = new Duties({
    ...{ market, ledger, clock, tell },
    purse: new Purse(() => market.balance(), clock),
    feeCeiling: config.maxFee,
  });
  const recovery = {
    ...{ market, ledger, clock, version },
    tell: tellRecover,
    tries: config.tries,
    nonceFor: (guid: Guid) => wallet.commitmentNonce({ chainName: chain, chainId, registry, guid }),
    instantOf: (number: number) => blocks.instantOf(block(number)),
    rescan: scanAgain.rescan,
  };
  tellRecover("recover.begun", { chain, account: wallet.address, head: market.head() });
  opening.move();

  return {
    async recover() {
      if (!config.ledgerOnly) duties.resume();
      let [bounties, assertions] = [0, 0];
      const looked = () => tellRecover("recover.looked", { chain, bounties, assertions });
      const look = async (guid: Guid): Promise<void> => {
        const result = await recoverBounty(recovery, guid, signal);
        tally.look(result);
        if (result === "rebuilt" && !config.ledgerOnly) void duties.take(guid, clock.now());
        bounties++;
        if (["known", "rebuilt", "not-rebuilt"].includes(result)) assertions++;
        if (bounties % TELL_EVERY === 0) looked();
      };
      const looking = new Set<Promise<void>>();
      const visit = async (guid: Guid): Promise<void> => {
        const work = look(guid).finally(() => looking.delete(work));
        looking.add(work);
        await settledWithin(PATIENCE_MS, work);
        signal.throwIfAborted();
      };
      try {
        await walk({ market, blocks: config.blocks, visit }, signal);
        await Promise.all(looking);
      } catch (error) {
        await Promise.allSettled(looking);
        tally.cutShort();
        tellRecover("recover.cut-short", { chain, reason: describeError(error) });
      }
      if (bounties === 0 || bounties % TELL_EVERY > 0) looked();
    },
    settle: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (duties.open() === 0 || signal.aborted) resolve();
      };
      market.on("block", look);
      signal.addEventListener("abort", look, { once: true });
      look();
      return promise;
    },
    stop: () => duties.stop(),
    open: () => ledger.inStates(chain, PROMISED_STATES).length,
    async [Symbol.asyncDispose]() {
      // After a stop that took too long somebody may still be at work: nothing more is begun.
      void duties.stop();
      await market[Symbol.asyncDispose]();
    },
  };
}

import { z } from "zod";

import { type Address, sameAddress } from "../../domain/address.ts";
import { uintToGuid } from "../../domain/guid.ts";
import type { Logger } from "../../observe/log.ts";
import type { Chain, DecodedLog } from "../chain/chain.ts";
import { followHead } from "../chain/head.ts";
import type { Ambassador } from "./ambassador.ts";
import type { Commissioner } from "./commission.ts";
import type { Player } from "./player.ts";
import type { MarketTally } from "./tally.ts";

interface TurnsOptions {
  readonly chain: Chain;
  readonly pollMs: number;
  readonly ambassador: Ambassador;
  readonly orders: Commissioner;
  readonly players: readonly Player[];
  readonly tally: MarketTally;
  readonly log: Logger;
}

interface Turns extends AsyncDisposable {
  /** From now on the ambassador is told of blocks, too. */
  open(): void;
  /** See `Sandbox.done`. */
  readonly done: Promise<void>;
}

/** Tells every player of every new block and counts what happened in it. Players do not wait for one another. */
export function takeTurns(options: TurnsOptions): Turns {
  const { chain, pollMs, ambassador, orders, players, tally, log } = options;
  const stop = new AbortController();
  const done = Promise.withResolvers<void>();
  const underway = new Set<Promise<void>>();
  let isOpen = false;
  const isRival = (account: Address): boolean =>
    chain.accounts.rivals.some((rival) => sameAddress(rival, account));

  const tell = (player: Player, head: number): void => {
    const turn = player.onBlock(head).finally(() => underway.delete(turn));
    underway.add(turn);
  };
  const count = (entry: DecodedLog): void => {
    tally.count(entry);
    if (entry.event !== "SettledBounty") return;
    const { bountyGuid, settler } = Settled.parse(entry.args);
    if (!sameAddress(settler, chain.accounts.ambassador)) return;
    const { asserted, revealed } = tally.of(bountyGuid);
    // Told only when an engine from outside took part: lines would disturb an operator who still types its command.
    const level = tally.engines(bountyGuid).every(isRival) ? "debug" : "info";
    log[level]({ guid: bountyGuid, asserted, revealed }, "bounty.settled");
  };

  const following = followHead(chain, { pollMs, signal: stop.signal, log }, async (head, before) => {
    for (const entry of await chain.logs(before + 1, head)) count(entry);
    for (const player of [orders, ...players]) tell(player, head);
    if (isOpen) tell(ambassador, head);
    if (ambassador.done() && orders.done() && tally.everybodySettled()) done.resolve();
  });

  return {
    open() {
      isOpen = true;
    },
    done: done.promise,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      // A transaction that is cut off would be logged as one more failure.
      await Promise.allSettled(underway);
    },
  };
}

const Settled = z.object({ bountyGuid: z.bigint().transform(uintToGuid), settler: z.string() });

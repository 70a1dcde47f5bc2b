import type { Guid } from "../../src/domain/guid.ts";
import type { Span } from "./uptime.ts";

/** A bounty as the chain has it. */
export interface PostedBounty {
  readonly guid: Guid;
  /** The block that it was posted in, and the first that takes no assertion any more. */
  readonly block: number;
  readonly expiration: number;
}

export const ACTIONS = ["assert", "reveal", "settle"] as const;
export type Action = (typeof ACTIONS)[number];

/** A transaction of our account that was mined, in the order of mining. */
export interface MinedTransaction {
  readonly hash: string;
  readonly block: number;
  /** `undefined` for an approval, and for whatever is no duty. */
  readonly action: Action | undefined;
  readonly guid: Guid | undefined;
  /** Why it reverted; `undefined` when it did what it should. */
  readonly reverted: string | undefined;
}

/** All that a judgement rests on. The chain tells it; no word of the engine's counts. */
export interface Facts {
  readonly bounties: readonly PostedBounty[];
  readonly transactions: readonly MinedTransaction[];
  /** When producer, a consumer, Redis and the line to the gateway were all up. */
  readonly up: readonly Span[];
  /** Blocks in a row within which a bounty is answered when everything is up. */
  readonly answerBlocks: number;
}

export interface Judgement {
  readonly posted: number;
  readonly asserted: number;
  readonly answerable: number;
  /** Bounties on which an assertion was mined after one had succeeded, whether or not the contract refused it. */
  readonly doubleAsserted: readonly Guid[];
  readonly unrevealed: readonly Guid[];
  readonly unsettled: readonly Guid[];
  /** Answerable, and not answered. */
  readonly missed: readonly Guid[];
  readonly failed: readonly MinedTransaction[];
}

/**
 * A bounty is answerable when there were at least `answerBlocks` blocks in a row, after it was posted and before it
 * expired, in which everything that an answer needs was up: the producer had told that it is ready, a consumer that it
 * serves, Redis ran and the line to the gateway was whole. Whether the engine knew of the bounty, had lost its scans or
 * was still waiting to connect again does not matter: that is what it has the blocks for.
 */
export function isAnswerable({ block, expiration }: PostedBounty, facts: Facts): boolean {
  return facts.up.some(
    ({ from, to }) => Math.min(to, expiration) - Math.max(from, block) >= facts.answerBlocks,
  );
}

export function judge(facts: Facts): Judgement {
  const succeeded = (action: Action): Set<Guid> =>
    new Set(
      facts.transactions
        .filter((mined) => mined.action === action && mined.reverted === undefined)
        .flatMap(({ guid }) => guid ?? []),
    );
  const [asserted, revealed, settled] = [succeeded("assert"), succeeded("reveal"), succeeded("settle")];
  const answerable = facts.bounties.filter((bounty) => isAnswerable(bounty, facts));
  return {
    posted: facts.bounties.length,
    asserted: asserted.size,
    answerable: answerable.length,
    doubleAsserted: repeated(facts.transactions),
    unrevealed: [...asserted].filter((guid) => !revealed.has(guid)),
    unsettled: [...asserted].filter((guid) => !settled.has(guid)),
    missed: answerable.map(({ guid }) => guid).filter((guid) => !asserted.has(guid)),
    failed: facts.transactions.filter(({ reverted }) => reverted !== undefined),
  };
}

function repeated(transactions: readonly MinedTransaction[]): readonly Guid[] {
  const done = new Set<Guid>();
  const twice = new Set<Guid>();
  for (const { action, guid, reverted } of transactions) {
    if (action !== "assert" || guid === undefined) continue;
    if (done.has(guid)) twice.add(guid);
    if (reverted === undefined) done.add(guid);
  }
  return [...twice];
}

/** Bounties about which something is wrong that must never be. */
export const offenders = (judgement: Judgement): readonly Guid[] => [
  ...new Set([
    ...judgement.doubleAsserted,
    ...judgement.unrevealed,
    ...judgement.unsettled,
    ...judgement.missed,
  ]),
];

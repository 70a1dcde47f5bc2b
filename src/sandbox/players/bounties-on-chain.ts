import { z } from "zod";

import type { Address } from "../../domain/address.ts";
import { ARTIFACT_KINDS, type ArtifactKind } from "../../domain/artifact.ts";
import { type Guid, guidToUint, uintToGuid } from "../../domain/guid.ts";
import type { Chain, DecodedLog } from "../chain/chain.ts";

/** A bounty as the players follow it. The same object for as long as it is followed. */
export interface OpenBounty {
  readonly guid: Guid;
  readonly author: Address;
  readonly kind: ArtifactKind;
  readonly uri: string;
  readonly artifactCount: number;
  /** First block of the reveal window. */
  readonly expiration: number;
  /** Whether the votes decide it already. */
  quorum: boolean;
}

export type Round = "assert" | "reveal" | "vote" | "quorum" | "over";

/** Blocks, as the registry holds them now. */
interface Windows {
  readonly reveal: number;
  readonly vote: number;
}

/** The round in which a transaction mined in `block` finds the bounty. Source: BountyRegistry.getCurrentRound. */
export function roundOf(bounty: OpenBounty, block: number, windows: Windows): Round {
  const revealEnd = bounty.expiration + windows.reveal;
  if (block < bounty.expiration) return "assert";
  if (block < revealEnd) return "reveal";
  if (block < revealEnd + windows.vote) return bounty.quorum ? "quorum" : "vote";
  return "over";
}

/** What the registry's events say of bounties; shared by the players of a sandbox. */
export interface FollowedBounties {
  /** Reads events up to `head`. Blocks may be skipped; a block already read costs nothing. */
  advance(head: number): Promise<void>;
  /** In order of posting; without those that were over long ago. */
  open(): readonly OpenBounty[];
  /** The round in which a transaction sent now will probably find it: that of the next block. */
  round(bounty: OpenBounty): Round;
}

/** A participant may come late to settle; after this many blocks it is given up. */
const FOLLOWED_BLOCKS = 1000;

const BountyArgs = z.object({ guid: z.bigint() });
const QuorumArgs = z.object({ bountyGuid: z.bigint() });
const WindowArgs = z.object({ assertionRevealWindow: z.bigint(), arbiterVoteWindow: z.bigint() });

export function followBounties(chain: Chain): FollowedBounties {
  const bounties = new Map<Guid, OpenBounty>();
  let windows: Windows | undefined;
  let read = 0;
  let turn = Promise.resolve();

  const apply = async ({ contract, event, args }: DecodedLog): Promise<void> => {
    if (contract !== "registry") return;
    if (event === "NewBounty") {
      const bounty = await readBounty(chain, uintToGuid(BountyArgs.parse(args).guid));
      bounties.set(bounty.guid, bounty);
    } else if (event === "QuorumReached") {
      const bounty = bounties.get(uintToGuid(QuorumArgs.parse(args).bountyGuid));
      if (bounty !== undefined) bounty.quorum = true;
    } else if (event === "WindowsUpdated") {
      const { assertionRevealWindow, arbiterVoteWindow } = WindowArgs.parse(args);
      windows = { reveal: Number(assertionRevealWindow), vote: Number(arbiterVoteWindow) };
    }
  };
  const readTo = async (head: number): Promise<void> => {
    windows ??= await readWindows(chain);
    if (head <= read) return;
    for (const log of await chain.logs(read + 1, head)) await apply(log);
    read = head;
    for (const { guid, expiration } of bounties.values()) {
      if (expiration + windows.reveal + windows.vote + FOLLOWED_BLOCKS < head) bounties.delete(guid);
    }
  };

  return {
    advance(head) {
      const reading = turn.then(() => readTo(head));
      turn = reading.catch(() => undefined);
      return reading;
    },
    open: () => [...bounties.values()],
    round: (bounty) => roundOf(bounty, read + 1, windows ?? { reveal: 0, vote: 0 }),
  };
}

const BountyTuple = z.tuple([
  z.bigint(),
  z.bigint(),
  z.string(),
  z.bigint(),
  z.string(),
  z.bigint(),
  z.bigint(),
]);

async function readBounty(chain: Chain, guid: Guid): Promise<OpenBounty> {
  const answer = await chain.call(chain.contracts.registry, "bountiesByGuid", [guidToUint(guid)]);
  const [, type, author, , uri, count, expiration] = BountyTuple.parse(answer.slice(0, 7));
  return {
    guid,
    author: author as Address,
    kind: ARTIFACT_KINDS[Number(type)] ?? "file",
    uri,
    artifactCount: Number(count),
    expiration: Number(expiration),
    // The events that follow tell.
    quorum: false,
  };
}

async function readWindows({ call, contracts }: Chain): Promise<Windows> {
  const [reveal] = await call(contracts.registry, "assertionRevealWindow", []);
  const [vote] = await call(contracts.registry, "arbiterVoteWindow", []);
  return { reveal: Number(reveal), vote: Number(vote) };
}

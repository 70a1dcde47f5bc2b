import { z } from "zod";

import type { Address } from "../../domain/address.ts";
import { packBits } from "../../domain/bits.ts";
import { guidToUint } from "../../domain/guid.ts";
import type { Logger } from "../../observe/log.ts";
import type { Chain } from "../chain/chain.ts";
import { bloomOf } from "../content/bloom.ts";
import type { ArtifactStore } from "../content/store.ts";
import type { FollowedBounties, OpenBounty } from "./bounties-on-chain.ts";
import { once, type Player, player, settle, type Truth } from "./player.ts";

interface ArbiterOptions {
  readonly chain: Chain;
  readonly followed: FollowedBounties;
  readonly store: ArtifactStore;
  readonly account: Address;
  readonly truth: Truth;
  readonly log: Logger;
}

/**
 * Votes the truth and is paid for it when the lot falls on it:
 *
 *     watching ──vote or quorum round──► voted ──over──► settled
 *
 * It does not vote on bounties whose truth it does not know; those end without it.
 */
export function arbiter({ chain, followed, store, account, truth, log }: ArbiterOptions): Player {
  const voted = new WeakSet<OpenBounty>();
  const settled = new WeakSet<OpenBounty>();

  const vote = async (bounty: OpenBounty, verdicts: readonly boolean[]): Promise<void> => {
    const args = [guidToUint(bounty.guid), packBits(verdicts), await bloomMatches(chain, store, bounty)];
    await once("Arbiter has already voted", () =>
      chain.send(account, chain.contracts.registry, "voteOnBounty", args),
    );
    voted.add(bounty);
    log.debug({ guid: bounty.guid, account }, "arbiter.voted");
  };

  return player("arbiter", followed, log, async (bounty, round) => {
    if (round === "vote" || round === "quorum") {
      const verdicts = truth(bounty.guid);
      if (verdicts !== undefined && !voted.has(bounty)) await vote(bounty, verdicts);
    } else if (round === "over" && voted.has(bounty) && !settled.has(bounty)) {
      await settle(chain, account, bounty.guid);
      settled.add(bounty);
    }
  });
}

/** Whether the filter on chain is that of the artifacts listed behind the URI. */
async function bloomMatches(chain: Chain, store: ArtifactStore, bounty: OpenBounty): Promise<boolean> {
  const links = store.list(bounty.uri);
  if (links === undefined) return false;
  const expected = bloomOf(links.map((link) => link.hash));
  const id = guidToUint(bounty.guid);
  const words = await Promise.all(
    expected.map((_, word) => chain.call(chain.contracts.registry, "bloomByGuid", [id, BigInt(word)])),
  );
  return words.every(([word], index) => z.bigint().parse(word) === expected[index]);
}

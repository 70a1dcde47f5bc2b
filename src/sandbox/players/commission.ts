import { randomUUID } from "node:crypto";

import { ARTIFACT_KINDS, type ArtifactKind } from "../../domain/artifact.ts";
import { type Guid, guidToUint, parseGuid } from "../../domain/guid.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Logger } from "../../observe/log.ts";
import type { Chain } from "../chain/chain.ts";
import { bloomOf } from "../content/bloom.ts";
import type { ArtifactStore } from "../content/store.ts";
import type { FollowedBounties } from "./bounties-on-chain.ts";
import { escrowApproval, type Player, player, settle, type Truth } from "./player.ts";

/** A bounty that a caller describes, besides those that the ambassador draws. */
export interface Commission {
  readonly contents: readonly Uint8Array[];
  /** Per artifact, `true` is malicious: what the arbiters will vote. */
  readonly truth: readonly boolean[];
  /** Default `file`. */
  readonly kind?: ArtifactKind;
  /** Blocks. */
  readonly duration: number;
  readonly reward: Nct;
  /** What is said of each artifact, published and put on chain by its address. */
  readonly claims?: readonly Readonly<Record<string, unknown>>[];
  /** Put on chain as it is, instead of the address of `claims`; default none. */
  readonly metadata?: string;
  /** What the bounty claims of its artifacts; default what is behind the URI. */
  readonly uri?: string;
  readonly artifactCount?: number;
}

/** Posts what it is commissioned to and settles it like any bounty. */
export interface Commissioner extends Player {
  readonly truth: Truth;
  /** Resolves once the bounty is on chain. Throws RevertFault when the registry refuses it. */
  post(commission: Commission): Promise<Guid>;
  /** Many bounties, all of them in one block or, when it is full, the next ones. */
  postAtOnce(commissions: readonly Commission[]): Promise<readonly Guid[]>;
  /** Whether everything commissioned is settled. */
  done(): boolean;
}

export function commissioner(parts: {
  readonly chain: Chain;
  readonly followed: FollowedBounties;
  readonly store: ArtifactStore;
  readonly log: Logger;
}): Commissioner {
  const { chain, followed, store, log } = parts;
  const account = chain.accounts.ambassador;
  const approved = escrowApproval(chain, account);
  const truths = new Map<Guid, readonly boolean[]>();
  const unsettled = new Set<Guid>();

  const settler = player("commissioner", followed, log, async ({ guid }, round) => {
    if (!unsettled.has(guid) || (round !== "quorum" && round !== "over")) return;
    await settle(chain, account, guid);
    unsettled.delete(guid);
  });

  const prepare = (commission: Commission) => {
    const { contents, truth, kind = "file", duration, reward, claims } = commission;
    const { metadata = claims === undefined ? "" : store.putJson(claims) } = commission;
    const guid = parseGuid(randomUUID());
    const uri = commission.uri ?? store.putDirectory(contents);
    const count = commission.artifactCount ?? contents.length;
    const hashes = store.list(uri)?.map((link) => link.hash) ?? [];
    const type = ARTIFACT_KINDS.indexOf(kind);
    // Known before it is on chain: a player may see the bounty at once.
    truths.set(guid, truth);
    return { guid, args: [guidToUint(guid), type, reward, uri, count, duration, bloomOf(hashes), metadata] };
  };
  const posted = (guid: Guid, { kind = "file", contents, artifactCount }: Commission): void => {
    unsettled.add(guid);
    log.debug({ guid, kind, artifacts: artifactCount ?? contents.length }, "bounty.posted");
  };

  return {
    ...settler,
    truth: (guid) => truths.get(guid),
    done: () => unsettled.size === 0,
    async post(commission) {
      const { guid, args } = prepare(commission);
      await approved();
      await chain.send(account, chain.contracts.registry, "postBounty", args);
      posted(guid, commission);
      return guid;
    },
    async postAtOnce(commissions) {
      const prepared = commissions.map(prepare);
      await approved();
      const calls = prepared.map(({ args }) => args);
      await chain.sendAtOnce(account, chain.contracts.registry, "postBounty", calls);
      for (const [index, { guid }] of prepared.entries()) posted(guid, commissions[index]!);
      return prepared.map(({ guid }) => guid);
    },
  };
}

import { z } from "zod";

import { ARTIFACT_KINDS, type ArtifactKind } from "../../domain/artifact.ts";
import { describeError } from "../../domain/fault.ts";
import { type Guid, guidToUint } from "../../domain/guid.ts";
import { formatNct, type Nct } from "../../domain/nct.ts";
import type { Logger } from "../../observe/log.ts";
import type { Chain } from "../chain/chain.ts";
import { bloomOf } from "../content/bloom.ts";
import type { ArtifactStore } from "../content/store.ts";
import type { Specimen } from "../samples/corpus.ts";
import { type DrawOptions, drawGuid, drawSpecimens } from "./ambassador-draw.ts";
import { describeSpecimen } from "./ambassador-metadata.ts";
import type { FollowedBounties, OpenBounty } from "./bounties-on-chain.ts";
import { dice } from "./dice.ts";
import { escrowApproval, once, type Player, player, settle, type Truth } from "./player.ts";

export interface AmbassadorOptions extends DrawOptions {
  readonly chain: Chain;
  readonly followed: FollowedBounties;
  readonly store: ArtifactStore;
  /** Blocks that a bounty takes assertions for. */
  readonly duration: number;
  /** For a bounty; raised to what the registry asks for its number of artifacts. */
  readonly reward: Nct;
  /** May be a fraction: 0.5 posts on every second block. */
  readonly bountiesPerBlock: number;
  /** Stops after so many. */
  readonly bounties?: number;
  /** Makes choice and GUIDs the same again. */
  readonly seed: number;
  /**
   * Gives a run GUIDs of its own, with the same choice. An engine that remembers an earlier run would otherwise take the
   * bounties for answered.
   */
  readonly run?: string;
  readonly log: Logger;
}

/** A bounty that the ambassador decided on; `settled` once it got back what was due. */
interface PlannedBounty {
  readonly guid: Guid;
  readonly kind: ArtifactKind;
  /** Per artifact, `true` is malicious. */
  readonly truth: readonly boolean[];
  readonly names: readonly string[];
  readonly specimens: readonly Specimen[];
  state: "planned" | "posted" | "settled";
}

export interface Ambassador extends Player {
  readonly truth: Truth;
  planned(): readonly PlannedBounty[];
  /** All bounties that were asked for are posted and settled. */
  done(): boolean;
}

/**
 * Posts bounties of known truth at a steady rate and settles them:
 *
 *     planned ──postBounty──► posted ──quorum or over──► settled
 *
 * The truth is remembered before the bounty is posted, so that a player who sees the bounty can ask for it. A bounty that
 * fails to be posted is tried again with the next block.
 */
export function ambassador(options: AmbassadorOptions): Ambassador {
  const { chain, followed, log, bountiesPerBlock, bounties = Number.POSITIVE_INFINITY } = options;
  const account = chain.accounts.ambassador;
  const draw = drawer(options);
  const post = poster(options);
  const plans = new Map<Guid, PlannedBounty>();
  const unposted: PlannedBounty[] = [];
  let firstBlock: number | undefined;

  const tryToPost = async (planned: PlannedBounty): Promise<void> => {
    try {
      await post(planned);
    } catch (error) {
      log.warn({ guid: planned.guid, error: describeError(error) }, "bounty.unposted");
      unposted.push(planned);
    }
  };
  const postDue = async (head: number): Promise<void> => {
    firstBlock ??= head;
    const due = Math.floor((head - firstBlock) * bountiesPerBlock) + 1;
    while (plans.size < Math.min(due, bounties)) {
      const planned = draw();
      plans.set(planned.guid, planned);
      unposted.push(planned);
    }
    await Promise.all(unposted.splice(0).map(tryToPost));
  };

  const settler = player("ambassador", followed, log, async (bounty: OpenBounty, round) => {
    const planned = plans.get(bounty.guid);
    if (planned === undefined || planned.state === "settled") return;
    if (round !== "quorum" && round !== "over") return;
    await settle(chain, account, bounty.guid);
    planned.state = "settled";
  });

  return {
    async onBlock(head) {
      await Promise.all([settler.onBlock(head), postDue(head)]);
    },
    truth: (guid) => plans.get(guid)?.truth,
    planned: () => [...plans.values()],
    done: () => plans.size >= bounties && plans.values().every((planned) => planned.state === "settled"),
  };
}

/** Draws the next bounty, the same ones in the same order for the same seed. */
function drawer(options: AmbassadorOptions): () => PlannedBounty {
  const chance = dice("ambassador", options.seed);
  const guids = dice("guid", options.seed, options.run ?? "");
  return () => {
    const specimens = drawSpecimens(options, chance);
    return {
      guid: drawGuid(guids),
      kind: specimens[0]!.kind,
      truth: specimens.map((specimen) => specimen.malicious),
      names: specimens.map((specimen) => specimen.name),
      specimens,
      state: "planned",
    };
  };
}

/** Publishes a bounty's artifacts and claims, and posts it. */
function poster(options: AmbassadorOptions): (planned: PlannedBounty) => Promise<void> {
  const { chain, store, log, reward, duration } = options;
  const account = chain.accounts.ambassador;
  const approved = escrowApproval(chain, account);
  return async (planned) => {
    const { guid, kind, specimens } = planned;
    const contents = await Promise.all(specimens.map((specimen) => specimen.read()));
    const claims = specimens.map((specimen, index) => describeSpecimen(specimen, contents[index]!));
    const metadata = store.putJson(await Promise.all(claims));
    const uri = store.putDirectory(contents);
    const hashes = store.list(uri)?.map((link) => link.hash) ?? [];
    const amount = await atLeastMinimum(chain, reward, contents.length);
    await approved();
    const args = [
      guidToUint(guid),
      BigInt(ARTIFACT_KINDS.indexOf(kind)),
      amount,
      uri,
      BigInt(contents.length),
      BigInt(duration),
      bloomOf(hashes),
      metadata,
    ];
    await once("GUID already in use", () =>
      chain.send(account, chain.contracts.registry, "postBounty", args),
    );
    planned.state = "posted";
    log.debug({ guid, kind, artifacts: planned.names.length, nct: formatNct(amount) }, "bounty.posted");
  };
}

async function atLeastMinimum(
  { call, contracts }: Chain,
  reward: bigint,
  artifacts: number,
): Promise<bigint> {
  const [answer] = await call(contracts.registry, "BOUNTY_AMOUNT_MINIMUM", []);
  const minimum = z.bigint().parse(answer) * BigInt(artifacts);
  return reward < minimum ? minimum : reward;
}

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
import type { BountyBook, OpenBounty } from "./bounties-on-chain.ts";
import { dice } from "./dice.ts";
import { once, openPurse, type Player, player, settle, type Truth } from "./player.ts";

export interface AmbassadorOptions extends DrawOptions {
  readonly chain: Chain;
  readonly book: BountyBook;
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
 * The truth is remembered before the bounty is posted, so that whoever sees the bounty can ask for it. A bounty that
 * fails to be posted is tried again with the next block.
 */
export function ambassador(options: AmbassadorOptions): Ambassador {
  const { chain, book, store, log } = options;
  const account = chain.accounts.ambassador;
  const chance = dice("ambassador", options.seed);
  const names = dice("guid", options.seed, options.run ?? "");
  const approved = openPurse(chain, account);
  const plans = new Map<Guid, PlannedBounty>();
  const unposted: { plan: PlannedBounty; specimens: readonly Specimen[] }[] = [];
  let firstBlock: number | undefined;

  const plan = (): void => {
    const specimens = drawSpecimens(options, chance);
    const planned: PlannedBounty = {
      guid: drawGuid(names),
      kind: specimens[0]!.kind,
      truth: specimens.map((specimen) => specimen.malicious),
      names: specimens.map((specimen) => specimen.name),
      state: "planned",
    };
    plans.set(planned.guid, planned);
    unposted.push({ plan: planned, specimens });
  };

  const post = async (planned: PlannedBounty, specimens: readonly Specimen[]): Promise<void> => {
    const { guid, kind } = planned;
    const contents = await Promise.all(specimens.map((specimen) => specimen.read()));
    const claims = specimens.map((specimen, index) => describeSpecimen(specimen, contents[index]!));
    const metadata = store.putJson(await Promise.all(claims));
    const uri = store.putDirectory(contents);
    const hashes = store.list(uri)?.map((link) => link.hash) ?? [];
    const amount = await atLeastMinimum(chain, options.reward, contents.length);
    await approved();
    const args = [
      guidToUint(guid),
      BigInt(ARTIFACT_KINDS.indexOf(kind)),
      amount,
      uri,
      BigInt(contents.length),
      BigInt(options.duration),
      bloomOf(hashes),
      metadata,
    ];
    await once("GUID already in use", () =>
      chain.send(account, chain.contracts.registry, "postBounty", args),
    );
    planned.state = "posted";
    log.debug({ guid, kind, artifacts: planned.names.length, nct: formatNct(amount) }, "bounty.posted");
  };

  const postDue = async (head: number): Promise<void> => {
    firstBlock ??= head;
    const due = Math.floor((head - firstBlock) * options.bountiesPerBlock) + 1;
    const wanted = Math.min(due, options.bounties ?? Number.POSITIVE_INFINITY);
    while (plans.size < wanted) plan();
    const batch = unposted.splice(0);
    await Promise.all(
      batch.map(async (entry) => {
        try {
          await post(entry.plan, entry.specimens);
        } catch (error) {
          log.warn({ guid: entry.plan.guid, error: describeError(error) }, "bounty.unposted");
          unposted.push(entry);
        }
      }),
    );
  };

  const settler = player("ambassador", book, log, async (bounty: OpenBounty, round) => {
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
    done: () =>
      plans.size >= (options.bounties ?? Number.POSITIVE_INFINITY) &&
      plans.values().every((planned) => planned.state === "settled"),
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

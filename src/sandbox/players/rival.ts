import { z } from "zod";

import type { Address } from "../../domain/address.ts";
import { packBits } from "../../domain/bits.ts";
import { guidToUint } from "../../domain/guid.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Logger } from "../../observe/log.ts";
import type { Chain } from "../chain/chain.ts";
import { commit } from "../content/commitment.ts";
import type { ArtifactStore } from "../content/store.ts";
import type { FollowedBounties, OpenBounty } from "./bounties-on-chain.ts";
import { dice } from "./dice.ts";
import { escrowApproval, type Player, player, settle, type Truth } from "./player.ts";

interface RivalOptions {
  readonly chain: Chain;
  readonly followed: FollowedBounties;
  readonly store: ArtifactStore;
  readonly account: Address;
  /** It peeks at the truth and then gets it wrong often enough to keep its accuracy. */
  readonly truth: Truth;
  /** 0 to 1: how often a verdict is right, each artifact on its own. */
  readonly accuracy: number;
  /** On every artifact; brought within what the registry allows. */
  readonly stake: Nct;
  readonly seed: number;
  readonly log: Logger;
}

/** What was committed to, and how far it got. */
interface Position {
  readonly index: bigint;
  readonly nonce: bigint;
  readonly verdicts: readonly boolean[];
  progress: "asserted" | "revealed" | "settled";
}

/**
 * Another engine:
 *
 *     watching ──assert round──► asserted ──reveal round──► revealed ──quorum or over──► settled
 *
 * A reveal that came too late leaves it asserted; it still settles, and gets what the registry gives the silent. It
 * keeps out of bounties whose truth it does not know.
 */
export function rival(options: RivalOptions): Player {
  const { chain, followed, store, account, truth, log } = options;
  const { registry } = chain.contracts;
  const approved = escrowApproval(chain, account);
  const positions = new WeakMap<OpenBounty, Position>();

  const assert = async (bounty: OpenBounty, facts: readonly boolean[]): Promise<void> => {
    const chance = dice(options.seed, account, bounty.guid);
    const verdicts = facts.map((fact) => (chance.ratio() < options.accuracy ? fact : !fact));
    const nonce = chance.integer(32) || 1n;
    const bid = await withinLimits(chain, options.stake);
    await approved();
    const { logs } = await chain.send(account, registry, "postAssertion", [
      guidToUint(bounty.guid),
      verdicts.map(() => bid),
      packBits(verdicts.map(() => true)),
      commit(account, packBits(verdicts), nonce),
    ]);
    const { index } = z.object({ index: z.bigint() }).parse(logs.find(isAssertion)?.args);
    positions.set(bounty, { index, nonce, verdicts, progress: "asserted" });
    log.debug({ guid: bounty.guid, account }, "rival.asserted");
  };

  const reveal = async (bounty: OpenBounty, position: Position): Promise<void> => {
    const metadata = store.putJson(
      position.verdicts.map((malicious) => ({ malware_family: malicious ? "Sandbox.Sample" : "" })),
    );
    const { index, nonce, verdicts } = position;
    await chain.send(account, registry, "revealAssertion", [
      guidToUint(bounty.guid),
      index,
      nonce,
      packBits(verdicts),
      metadata,
    ]);
    position.progress = "revealed";
  };

  return player("rival", followed, log, async (bounty, round) => {
    const position = positions.get(bounty);
    if (position === undefined) {
      const facts = truth(bounty.guid);
      if (round === "assert" && facts !== undefined) await assert(bounty, facts);
    } else if (round === "reveal" && position.progress === "asserted") {
      await reveal(bounty, position);
    } else if ((round === "quorum" || round === "over") && position.progress !== "settled") {
      await settle(chain, account, bounty.guid);
      position.progress = "settled";
    }
  });
}

const isAssertion = (log: { event: string }): boolean => log.event === "NewAssertion";

async function withinLimits({ call, contracts }: Chain, stake: bigint): Promise<bigint> {
  const limit = async (name: string): Promise<bigint> =>
    z.bigint().parse((await call(contracts.registry, name, []))[0]);
  const [least, most] = await Promise.all([
    limit("ASSERTION_BID_ARTIFACT_MINIMUM"),
    limit("ASSERTION_BID_ARTIFACT_MAXIMUM"),
  ]);
  if (stake < least) return least;
  return stake > most ? most : stake;
}

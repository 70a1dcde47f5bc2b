import { describeError } from "../../domain/fault.ts";
import { type Guid, guidToUint } from "../../domain/guid.ts";
import type { Logger } from "../../observe/log.ts";
import type { SandboxPlayer } from "../../observe/log-names.ts";
import { RevertFault } from "../chain/abi.ts";
import type { Chain } from "../chain/chain.ts";
import type { FollowedBounties, OpenBounty, Round } from "./bounties-on-chain.ts";

/** A participant of the market, told of every new block. Calls may overlap and blocks may be left out. */
export interface Player {
  /** Resolves when all that it made the player do has been mined or has failed; never rejects. */
  onBlock(head: number): Promise<void>;
}

/** What is true of each artifact (`true` is malicious), for those who may know; `undefined` for strangers' bounties. */
export type Truth = (guid: Guid) => readonly boolean[] | undefined;

/**
 * Steps through every open bounty on every block, at most one step of a bounty at a time. A step that fails is logged
 * and comes round again with the next block, so that steps must look before they act.
 */
export function player(
  name: SandboxPlayer,
  followed: FollowedBounties,
  log: Logger,
  step: (bounty: OpenBounty, round: Round) => Promise<void>,
): Player {
  const busy = new WeakSet<OpenBounty>();

  const advance = async (bounty: OpenBounty): Promise<void> => {
    if (busy.has(bounty)) return;
    busy.add(bounty);
    try {
      await step(bounty, followed.round(bounty));
    } catch (error) {
      log.warn({ guid: bounty.guid, error: describeError(error) }, `${name}.failed`);
    } finally {
      busy.delete(bounty);
    }
  };

  return {
    async onBlock(head) {
      try {
        await followed.advance(head);
      } catch (error) {
        log.warn({ head, error: describeError(error) }, `${name}.blind`);
        return;
      }
      await Promise.all(followed.open().map(advance));
    },
  };
}

/** Runs an action that the contract allows once; that it was done before is as good as doing it. */
export async function once(reason: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof RevertFault) || error.reason !== reason) throw error;
  }
}

/** Settles for an unlocked account. */
export const settle = (chain: Chain, account: Chain["accounts"]["deployer"], guid: Guid): Promise<void> =>
  once("Sender already settled", () =>
    chain.send(account, chain.contracts.registry, "settleBounty", [guidToUint(guid)]),
  );

/**
 * Lets the registry take whatever the account will ever escrow. One approval for good, because pairs of approval and
 * escrow from one account must not interleave.
 */
export const escrowApproval = (
  chain: Chain,
  account: Chain["accounts"]["deployer"],
): (() => Promise<unknown>) => {
  let opened: Promise<unknown> | undefined;
  return () => {
    opened ??= chain
      .send(account, chain.contracts.token, "approve", [chain.contracts.registry.address, 2n ** 256n - 1n])
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
};

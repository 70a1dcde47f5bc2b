import { z } from "zod";
import { ARTIFACT_KINDS } from "../../../domain/artifact.ts";
import { uintToGuid } from "../../../domain/guid.ts";
import { checksummed } from "./caller.ts";
import { paddedFlags } from "./flags.ts";

/**
 * Contract events as the gateway tells them, on the websocket and in receipts: amounts that are strings there are
 * strings here, integers that are bare there are bigint here.
 */

const Uint = z.union([z.bigint(), z.int()]).transform(BigInt);
const Count = Uint.transform(Number);
const Decimal = Uint.transform(String);
const Guid = Uint.transform(uintToGuid);
const Account = z.string().transform(checksummed);

const SHAPES = {
  NewBounty: z
    .object({
      guid: Guid,
      artifactType: Count,
      author: Account,
      amount: Decimal,
      artifactURI: z.string(),
      expirationBlock: Decimal,
      metadata: z.string(),
    })
    .transform((args) => ({
      guid: args.guid,
      artifact_type: ARTIFACT_KINDS[args.artifactType] ?? "file",
      author: args.author,
      amount: args.amount,
      uri: args.artifactURI,
      expiration: args.expirationBlock,
      metadata: args.metadata as unknown,
    })),
  NewAssertion: z
    .object({
      bountyGuid: Guid,
      author: Account,
      index: Count,
      bid: z.array(Decimal),
      mask: Uint,
      numArtifacts: Count,
      commitment: Decimal,
    })
    .transform((args) => ({
      bounty_guid: args.bountyGuid,
      author: args.author,
      index: args.index,
      bid: args.bid,
      mask: paddedFlags(args.mask, args.numArtifacts),
      commitment: args.commitment,
    })),
  RevealedAssertion: z
    .object({
      bountyGuid: Guid,
      author: Account,
      index: Count,
      nonce: Decimal,
      verdicts: Uint,
      numArtifacts: Count,
      metadata: z.string(),
    })
    .transform((args) => ({
      bounty_guid: args.bountyGuid,
      author: args.author,
      index: args.index,
      nonce: args.nonce,
      verdicts: paddedFlags(args.verdicts, args.numArtifacts),
      metadata: args.metadata as unknown,
    })),
  NewVote: z
    .object({ bountyGuid: Guid, votes: Uint, numArtifacts: Count, voter: Account })
    .transform((args) => ({
      bounty_guid: args.bountyGuid,
      voter: args.voter,
      votes: paddedFlags(args.votes, args.numArtifacts),
    })),
  QuorumReached: z.object({ bountyGuid: Guid }).transform((args) => ({ bounty_guid: args.bountyGuid })),
  SettledBounty: z
    .object({ bountyGuid: Guid, settler: Account, payout: Uint })
    .transform((args) => ({ bounty_guid: args.bountyGuid, settler: args.settler, payout: args.payout })),
  FeesUpdated: z
    .object({ bountyFee: Uint, assertionFee: Uint })
    .transform((args) => ({ bounty_fee: args.bountyFee, assertion_fee: args.assertionFee })),
  WindowsUpdated: z.object({ assertionRevealWindow: Count, arbiterVoteWindow: Count }).transform((args) => ({
    assertion_reveal_window: args.assertionRevealWindow,
    arbiter_vote_window: args.arbiterVoteWindow,
  })),
  Deprecated: z.object({ rollover: z.boolean() }).transform(({ rollover }) => ({ rollover })),
  Undeprecated: z.object({}).transform(() => ({})),
  Transfer: z
    .object({ from: Account, to: Account, value: Decimal })
    .transform(({ to, from, value }) => ({ to, from, value })),
  NewDeposit: z.object({ from: Account, value: Uint }).transform(({ from, value }) => ({ from, value })),
  NewWithdrawal: z.object({ to: Account, value: Uint }).transform(({ to, value }) => ({ to, value })),
} as const;

/** The event's fields as the gateway tells them. Throws ZodError when the arguments are not those of that event. */
export const shapeEvent = (name: keyof typeof SHAPES, args: unknown): Record<string, unknown> =>
  SHAPES[name].parse(args);

/** Contract event to websocket event. */
export const STREAMED = {
  NewBounty: "bounty",
  NewAssertion: "assertion",
  RevealedAssertion: "reveal",
  NewVote: "vote",
  QuorumReached: "quorum",
  SettledBounty: "settled_bounty",
  FeesUpdated: "fee_update",
  WindowsUpdated: "window_update",
  Deprecated: "deprecated",
  Undeprecated: "undeprecated",
} as const satisfies Partial<Record<keyof typeof SHAPES, string>>;

/** Contract event to the key it has in a receipt's answer. Quorum and settlement have none. */
export const RECEIPTED = {
  Transfer: "transfers",
  NewBounty: "bounties",
  NewAssertion: "assertions",
  RevealedAssertion: "reveals",
  NewVote: "votes",
  NewDeposit: "deposits",
  NewWithdrawal: "withdrawals",
} as const satisfies Partial<Record<keyof typeof SHAPES, string>>;

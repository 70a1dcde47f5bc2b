import { z } from "zod";
import { MAX_ARTIFACTS } from "../../../domain/artifact.ts";
import { packBits } from "../../../domain/bits.ts";
import type { Bounty } from "../../../domain/bounty.ts";
import type { ChainName } from "../../../domain/chain.ts";
import { MarketFault } from "../http/answer.ts";
import { detailsOf } from "../port/details.ts";
import type { PostedAssertion } from "../port/marketplace.ts";
import type { MarketParameters } from "../port/parameters.ts";
import { padClaims, readClaims } from "./claims.ts";
import {
  amount,
  bits,
  blockNumber,
  callData,
  guid,
  MAX_URI_CHARS,
  uint,
  wireAddress,
  wireArtifactKind,
  wireCount,
} from "./wire.ts";

/** Answers of the gateway, as far as we read them. Unknown keys pass by: the API may grow. */

export const Parameters = z
  .object({
    bounty_fee: amount,
    assertion_fee: amount,
    bounty_amount_minimum: amount,
    assertion_bid_minimum: amount,
    assertion_bid_maximum: amount,
    assertion_reveal_window: wireCount,
    arbiter_vote_window: wireCount,
    max_duration: wireCount,
  })
  .transform(
    (raw): MarketParameters => ({
      bountyFee: raw.bounty_fee,
      assertionFee: raw.assertion_fee,
      bountyAmountMinimum: raw.bounty_amount_minimum,
      bidMinimum: raw.assertion_bid_minimum,
      bidMaximum: raw.assertion_bid_maximum,
      revealWindow: raw.assertion_reveal_window,
      voteWindow: raw.arbiter_vote_window,
      maxDuration: raw.max_duration,
    }),
  );

const chainStatus = z.object({ block: blockNumber.optional() }).optional();
export const Status = z.object({ home: chainStatus, side: chainStatus });

const RawBounty = z.object({
  guid,
  artifact_type: wireArtifactKind,
  author: wireAddress,
  amount,
  uri: z.string().min(1).max(MAX_URI_CHARS),
  num_artifacts: wireCount.refine((artifacts) => artifacts >= 1 && artifacts <= MAX_ARTIFACTS),
  expiration: blockNumber,
  metadata: z.unknown(),
});

/** A bounty of this chain; claims are padded to the number of artifacts. */
export const bountyOf = (chain: ChainName): z.ZodType<Bounty> =>
  RawBounty.transform(
    (raw): Bounty => ({
      guid: raw.guid,
      market: chain,
      kind: raw.artifact_type,
      author: raw.author,
      amount: raw.amount,
      uri: raw.uri,
      artifactCount: raw.num_artifacts,
      details: detailsOf(raw.expiration),
      claims: padClaims(readClaims(raw.metadata), raw.num_artifacts),
    }),
  );

export const Quorum = z.object({ quorum_reached: z.boolean() });
export const Guids = z.array(guid);

/** One assertion; which bounty and which index it is says the request. */
export const Assertion: z.ZodType<Omit<PostedAssertion, "guid" | "index">> = z
  .object({
    author: wireAddress,
    bid: z.array(amount).max(MAX_ARTIFACTS),
    mask: bits,
    commitment: uint,
    nonce: uint,
    // Where some are not known yet, none are.
    verdicts: z.array(z.boolean()).max(MAX_ARTIFACTS).transform(packBits).optional().catch(undefined),
  })
  .transform(({ author, bid, mask, commitment, nonce, verdicts }) => ({
    author,
    bids: bid,
    mask,
    commitment,
    // Not by the verdicts: the single form shows unrevealed ones as false.
    revealed: nonce !== 0n,
    ...(nonce === 0n || verdicts === undefined ? {} : { verdicts }),
  }));

/** A list whose entries are read one by one; an answer without a result is an empty one. */
export const List = z.array(z.unknown()).default([]);

export const Votes = z.array(z.object({ voter: wireAddress, votes: bits }));

export const Artifacts = z.array(z.object({ name: z.string().default(""), hash: z.string() }));

export const UnsignedTransactions = z.object({
  transactions: z
    .array(
      z.object({
        nonce: uint,
        chainId: uint,
        gas: uint,
        gasPrice: uint,
        to: wireAddress,
        value: uint,
        data: callData,
      }),
    )
    .max(10),
});

/** The events of mined transactions; a kind that did not occur is absent, the list of errors never is. */
export const TransactionEvents = z.object({
  transfers: z.array(z.object({ from: wireAddress, to: wireAddress, value: uint })).default([]),
  assertions: z
    .array(z.object({ bounty_guid: guid, author: wireAddress, index: wireCount, commitment: uint }))
    .default([]),
  errors: z.array(z.string()),
});
export type TransactionEvents = z.infer<typeof TransactionEvents>;

export const Nonce = uint;
export const PoolNonces = z.array(uint);
export const Balance = amount;
export const Uri = z.string().min(1).max(MAX_URI_CHARS);

/** Reads an answer by its schema. Throws MarketFault MARKET_ANSWER_UNREADABLE, which names the first wrong field. */
export function readAs<T>(schema: z.ZodType<T>, what: string, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "it";
  const sentence = `The answer about ${what} does not make sense: ${field}: ${issue?.message ?? "invalid"}.`;
  throw new MarketFault("MARKET_ANSWER_UNREADABLE", sentence, { reached: "yes", retryable: true });
}

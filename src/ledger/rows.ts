/** Rows as SQLite gives them, and how they become records. A row that does not fit means the file was tampered with. */
import { z } from "zod";
import { isAddress } from "../domain/address.ts";
import { ARTIFACT_KINDS, type ArtifactClaim } from "../domain/artifact.ts";
import { block, CHAIN_NAMES, instant } from "../domain/chain.ts";
import { isGuid } from "../domain/guid.ts";
import { parseJson } from "../domain/json.ts";
import { ABANDON_REASONS, BOUNTY_STATES } from "../domain/lifecycle.ts";
import { nct } from "../domain/nct.ts";
import type { Ppm } from "../domain/verdict.ts";
import type { AssertionRecord, BountyRecord } from "./records.ts";

const bigintText = z.string().regex(/^\d+$/).transform(BigInt);
const amountText = bigintText.transform(nct);
const jsonText = z.string().transform(parseJson);
const guidText = z.string().refine(isGuid);
const chainText = z.enum(CHAIN_NAMES);

const bountyRow = z.object({
  chain: chainText,
  guid: guidText,
  kind: z.enum(ARTIFACT_KINDS),
  author: z.string().refine(isAddress),
  amount: amountText,
  uri: z.string(),
  artifact_count: z.number(),
  expiration: z.number().transform(block),
  claims: jsonText.pipe(z.array(z.looseObject({ raw: z.record(z.string(), z.unknown()) }))),
  state: z.enum(BOUNTY_STATES),
  reason: z.enum(ABANDON_REASONS).nullable(),
  quorum: z.number().transform(Boolean),
  reveal_missed: z.number().transform(Boolean),
  seen_at: z.number().transform(instant),
});
export type BountyRow = z.input<typeof bountyRow>;

export function readBounty(raw: BountyRow): BountyRecord {
  const row = bountyRow.parse(raw);
  return {
    bounty: {
      guid: row.guid,
      chain: row.chain,
      kind: row.kind,
      author: row.author,
      amount: row.amount,
      uri: row.uri,
      artifactCount: row.artifact_count,
      expiration: row.expiration,
      claims: row.claims as readonly ArtifactClaim[],
    },
    state: row.state,
    reason: row.reason,
    quorum: row.quorum,
    revealMissed: row.reveal_missed,
    seenAt: row.seen_at,
  };
}

const assertionRow = z.object({
  chain: chainText,
  guid: guidText,
  commitment: bigintText,
  nonce: bigintText,
  mask: bigintText,
  verdicts: bigintText,
  bids: jsonText.pipe(z.array(amountText)),
  stake: amountText,
  fee: amountText,
  metadata: jsonText.pipe(z.array(z.record(z.string(), z.unknown()))),
  metadata_uri: z.string().nullable(),
  position: z.number().nullable(),
  planned_at: z.number().transform(instant),
  requested_ms: z.number().nullable(),
  payout: amountText.nullable(),
  confidences: jsonText.pipe(z.array(z.int().transform((value) => value as Ppm))).nullable(),
});
export type AssertionRow = z.input<typeof assertionRow>;

export function readAssertion(
  raw: AssertionRow,
): AssertionRecord & Pick<z.output<typeof assertionRow>, "chain" | "guid"> {
  const row = assertionRow.parse(raw);
  return {
    chain: row.chain,
    guid: row.guid,
    commitment: row.commitment,
    nonce: row.nonce,
    mask: row.mask,
    verdicts: row.verdicts,
    bids: row.bids,
    stake: row.stake,
    fee: row.fee,
    metadata: row.metadata,
    metadataUri: row.metadata_uri,
    index: row.position,
    plannedAt: row.planned_at,
    requestedMs: row.requested_ms,
    payout: row.payout,
    ...(row.confidences === null ? {} : { confidences: row.confidences }),
  };
}

/** Rows as SQLite gives them, and how they become records. A row that does not fit means the file was tampered with. */
import { z } from "zod";
import { isAddress } from "../../domain/address.ts";
import { ARTIFACT_KINDS, type ArtifactClaim, MAX_ARTIFACTS } from "../../domain/artifact.ts";
import { marketIdSchema } from "../../domain/bounty.ts";
import { isGuid } from "../../domain/guid.ts";
import { instant } from "../../domain/instant.ts";
import { ABANDON_REASONS, BOUNTY_STATES } from "../../domain/lifecycle.ts";
import { nct } from "../../domain/nct.ts";
import type { Ppm } from "../../domain/verdict.ts";
import { parseJson } from "../../json/json.ts";
import type { AssertionRecord, BountyRecord } from "../records.ts";
import { DETAILS } from "./schema.ts";

const bigintText = z.string().regex(/^\d+$/).transform(BigInt);
const amountText = bigintText.transform(nct);
const jsonText = z.string().transform((text) => parseJson(text));
const detailsText = jsonText.pipe(z.record(z.string(), z.unknown()));
const guidText = z.string().refine(isGuid);

/**
 * Claims as they were written down, a stranger's words: larger ones than intake lets in come from earlier releases, and are
 * not read. A producer that parsed 4 MB of them at every step would miss the reveals of other bounties.
 */
const MAX_CLAIMS_BYTES = MAX_ARTIFACTS * 10_240;
const CLAIMS_BOUNDS = { depth: 24, values: MAX_ARTIFACTS * 256 };
const Claims = z.array(z.looseObject({ raw: z.record(z.string(), z.unknown()) }));

/** The columns of a bounty, with claims that are too large left in the file. */
export const BOUNTY_COLUMNS = `market, guid, kind, author, amount, uri, artifact_count, ${DETAILS}, state, reason, quorum,
  reveal_missed, seen_at, CASE WHEN octet_length(claims) <= ${MAX_CLAIMS_BYTES} THEN claims ELSE '[]' END AS claims`;

/** What cannot be read claims nothing. */
function readClaims(text: string): readonly ArtifactClaim[] {
  try {
    return Claims.parse(parseJson(text, CLAIMS_BOUNDS)) as readonly ArtifactClaim[];
  } catch {
    return [];
  }
}

const bountyRow = z.object({
  market: marketIdSchema,
  guid: guidText,
  kind: z.enum(ARTIFACT_KINDS),
  author: z.string().refine(isAddress),
  amount: amountText,
  uri: z.string(),
  artifact_count: z.number(),
  details: detailsText,
  claims: z.string(),
  state: z.enum(BOUNTY_STATES),
  reason: z.enum(ABANDON_REASONS).nullable(),
  quorum: z.number().transform(Boolean),
  reveal_missed: z.number().transform(Boolean),
  seen_at: z.number().transform(instant),
});
export type BountyRow = z.input<typeof bountyRow>;

/** Claims are read when they are first asked for: most steps of a bounty never do. */
export function readBountyRow(raw: BountyRow): BountyRecord {
  const row = bountyRow.parse(raw);
  let claims: readonly ArtifactClaim[] | undefined;
  return {
    bounty: {
      guid: row.guid,
      market: row.market,
      kind: row.kind,
      author: row.author,
      amount: row.amount,
      uri: row.uri,
      artifactCount: row.artifact_count,
      details: row.details,
      get claims() {
        claims ??= readClaims(row.claims);
        return claims;
      },
    },
    state: row.state,
    reason: row.reason,
    quorum: row.quorum,
    revealMissed: row.reveal_missed,
    seenAt: row.seen_at,
  };
}

const assertionRow = z.object({
  market: marketIdSchema,
  guid: guidText,
  commitment: bigintText,
  nonce: bigintText,
  mask: bigintText,
  verdicts: bigintText,
  bids: jsonText.pipe(z.array(amountText)),
  stake: amountText,
  fee: amountText,
  metadata: z.string(),
  metadata_uri: z.string().nullable(),
  position: z.number().nullable(),
  planned_at: z.number().transform(instant),
  requested_ms: z.number().nullable(),
  payout: amountText.nullable(),
  confidences: jsonText.pipe(z.array(z.int().transform((value) => value as Ppm))).nullable(),
});
export type AssertionRow = z.input<typeof assertionRow>;

const Metadata = z.array(z.record(z.string(), z.unknown()));

/** Metadata, up to 4 MB, is read when it is first asked for: once, when it is published. */
export function readAssertionRow(
  raw: AssertionRow,
): AssertionRecord & Pick<z.output<typeof assertionRow>, "market" | "guid"> {
  const row = assertionRow.parse(raw);
  let metadata: z.output<typeof Metadata> | undefined;
  return {
    market: row.market,
    guid: row.guid,
    commitment: row.commitment,
    nonce: row.nonce,
    mask: row.mask,
    verdicts: row.verdicts,
    bids: row.bids,
    stake: row.stake,
    fee: row.fee,
    get metadata() {
      metadata ??= Metadata.parse(parseJson(row.metadata));
      return metadata;
    },
    metadataUri: row.metadata_uri,
    index: row.position,
    plannedAt: row.planned_at,
    requestedMs: row.requested_ms,
    payout: row.payout,
    ...(row.confidences === null ? {} : { confidences: row.confidences }),
  };
}

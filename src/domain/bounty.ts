import { z } from "zod";
import type { Address } from "./address.ts";
import type { ArtifactClaim, ArtifactKind } from "./artifact.ts";
import type { Guid } from "./guid.ts";
import type { Nct } from "./nct.ts";

/**
 * Names a marketplace that bounties come from. It keys the rows of the ledger, the jobs on the queue and the metrics, so it
 * stays the same for as long as the marketplace does. 1 to 32 lower-case letters and digits, a letter first.
 */
export type MarketId = string;

export const marketIdSchema = z.string().regex(/^[a-z][a-z0-9]{0,31}$/, "is no marketplace's name");

/**
 * What one marketplace alone knows of a bounty, as values of JSON: the block in which it expires, the address to answer to. It is
 * kept in the ledger and given back to that marketplace; nothing else reads it.
 */
export type MarketDetails = Readonly<Record<string, unknown>>;

/** A request for opinions, as far as an engine needs to know it. */
export interface Bounty {
  readonly guid: Guid;
  readonly market: MarketId;
  readonly kind: ArtifactKind;
  readonly author: Address;
  /** The reward that the ambassador put up, for all artifacts together. */
  readonly amount: Nct;
  /** Content address of the artifact set. */
  readonly uri: string;
  /** 1 to 256; what the contract counts, whatever the URI lists. Mask bits beyond it lose their bids. */
  readonly artifactCount: number;
  readonly details: MarketDetails;
  /** One entry per artifact, in index order; `NO_CLAIM` where the ambassador said nothing usable. */
  readonly claims: readonly ArtifactClaim[];
}

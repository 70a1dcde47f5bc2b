/**
 * How much of an answer is taken, by what was asked: what it can honestly hold, several times over. Anything beyond is
 * refused, or left out, before it is parsed. 256 artifacts, seven arbiters and a hundred engines are what the marketplace
 * has at most; a list of 75 GUIDs is 3 KB.
 */
import { MAX_ARTIFACTS } from "../../../domain/artifact.ts";
import type { JsonBounds } from "../../../json/json.ts";
import type { ValueBounds } from "./sieve.ts";

export interface AnswerLimits extends JsonBounds {
  /** Of what is kept, after the sieve. */
  readonly bytes: number;
  /** What the values under some keys may hold; without it, everything is kept. */
  readonly allowances?: Readonly<Record<string, ValueBounds>>;
  /** Of what may come in altogether; only with allowances. */
  readonly streamedBytes?: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** A stranger's claims on one artifact, as JSON: a dozen hashes and names are 1 KB. */
export const MAX_CLAIM_BYTES = 4 * KIB;

/** Bounty metadata: 256 claims of the largest size, of a hundred values each, a few levels deep. */
const CLAIMS: ValueBounds = {
  bytes: MAX_ARTIFACTS * MAX_CLAIM_BYTES,
  values: 100 * MAX_ARTIFACTS,
  depth: 16,
};
const NOTHING: ValueBounds = { bytes: 0, values: 0, depth: 0 };

/** A value or a short list: status, nonces, balance, parameters, a page of GUIDs, a URI. */
const SMALL: AnswerLimits = { bytes: 64 * KIB, values: 4_096, depth: 16 };

/** Ten unsigned transactions with the longest metadata; receipts, and whatever is not named below. */
const MEDIUM: AnswerLimits = { bytes: 2 * MIB, values: 65_536, depth: 32 };

/** Without the metadata of reveals: 1,500 assertions on 256 artifacts, or ten times as many on one. */
const ASSERTIONS: AnswerLimits = {
  bytes: 12 * MIB,
  values: 1_200_000,
  depth: 16,
  allowances: { metadata: NOTHING },
  // The engines that beat us may each have put megabytes beside their row, and ours is among them.
  streamedBytes: 512 * MIB,
};

export const LIMITS = {
  small: SMALL,
  medium: MEDIUM,
  bounty: { ...MEDIUM, allowances: { metadata: CLAIMS }, streamedBytes: 64 * MIB },
  /** What a bounty says beside its metadata. */
  terms: { ...SMALL, allowances: { metadata: NOTHING }, streamedBytes: 64 * MIB },
  assertion: { ...SMALL, allowances: { metadata: NOTHING }, streamedBytes: 64 * MIB },
  assertions: ASSERTIONS,
  /** The events of ten transactions; reveals bring their metadata along. */
  receipts: { ...MEDIUM, allowances: { metadata: NOTHING }, streamedBytes: 64 * MIB },
  /** One row of 256 flags for each arbiter. */
  votes: { bytes: 2 * MIB, values: 262_144, depth: 16 },
  /** Names are a stranger's, and as long as a file system allows. */
  listing: { bytes: MIB, values: 16_384, depth: 16 },
} as const satisfies Readonly<Record<string, AnswerLimits>>;

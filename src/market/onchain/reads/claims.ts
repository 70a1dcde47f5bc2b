import { type ArtifactClaim, MAX_ARTIFACTS, NO_CLAIM } from "../../../domain/artifact.ts";
import { stringifyJson } from "../../../json/json.ts";
import { MAX_CLAIM_BYTES } from "../http/limits.ts";

/**
 * Bounty metadata as claims, by artifact index. It was written by strangers and comes as a list, as text when the
 * gateway could not read it, or not at all: whatever is not what it should be simply claims nothing. Of a claim that is larger
 * than `MAX_CLAIM_BYTES` as JSON, the smallest keys are kept, as many as have room: what comes out of here is written
 * into the ledger and sent to consumers.
 */
export function readClaims(metadata: unknown): readonly ArtifactClaim[] {
  if (!Array.isArray(metadata)) return [];
  return metadata.slice(0, MAX_ARTIFACTS).map(readClaim);
}

/** Exactly `count` claims: missing ones claim nothing, superfluous ones are dropped. */
export const padClaims = (claims: readonly ArtifactClaim[], count: number): readonly ArtifactClaim[] =>
  Array.from({ length: count }, (_, index) => claims[index] ?? NO_CLAIM);

function readClaim(item: unknown): ArtifactClaim {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return NO_CLAIM;
  const raw = fitting(item as Readonly<Record<string, unknown>>);
  const sizeBytes = sizeOf(raw.filesize);
  return {
    ...(isText(raw.filename) ? { filename: raw.filename } : {}),
    ...(isText(raw.mimetype) ? { mimetype: raw.mimetype } : {}),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(isText(raw.sha256) && /^[0-9a-fA-F]{64}$/.test(raw.sha256)
      ? { sha256: raw.sha256.toLowerCase() }
      : {}),
    raw,
  };
}

function fitting(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (Buffer.byteLength(stringifyJson(raw)) <= MAX_CLAIM_BYTES) return raw;
  const bySize = Object.entries(raw)
    .map(([key, value]) => ({ key, value, bytes: Buffer.byteLength(stringifyJson({ [key]: value })) }))
    .toSorted((a, b) => a.bytes - b.bytes);
  const kept: (readonly [string, unknown])[] = [];
  let left = MAX_CLAIM_BYTES;
  for (const { key, value, bytes } of bySize) {
    left -= bytes;
    if (left < 0) break;
    kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** A positive integer, or its digits: schemas before 1.4 wanted text. */
function sizeOf(value: unknown): number | undefined {
  const size = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof size === "number" && Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

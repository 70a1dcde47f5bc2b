export const ARTIFACT_KINDS = ["file", "url"] as const;
/** What the marketplace calls the artifact type: a file, or the UTF-8 text of a URL. */
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** The contract takes 1 to 256 artifacts in a bounty. */
export const MAX_ARTIFACTS = 256;

/** What the ambassador says of an artifact. Claims by a stranger: never trusted, only used to skip early. */
export interface ArtifactClaim {
  readonly filename?: string;
  readonly mimetype?: string;
  readonly sizeBytes?: number;
  readonly sha256?: string;
  /** Every key the bounty metadata carried for this artifact, as it came. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export const NO_CLAIM: ArtifactClaim = Object.freeze({ raw: Object.freeze({}) });

/**
 * Whether artifacts can be had under a URI at all: gateways and clients take base58 of less than 100 characters, or a
 * SHA-256. The contract takes any text, and for a bounty with another one the gateway answers 500 for ever.
 */
export const isContentAddress = (uri: string): boolean =>
  /^[1-9A-HJ-NP-Za-km-z]{1,99}$/.test(uri) || /^[0-9a-fA-F]{64}$/.test(uri);

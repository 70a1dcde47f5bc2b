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

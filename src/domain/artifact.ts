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
 * What names an artifact in a scan job. Not to be taken for its kind: an artifact that is the text of a URL can be named in
 * both ways.
 */
export type ArtifactReference =
  /** The content address of an artifact set and the place in it. A consumer fetches it from its own gateway. */
  | { readonly kind: "content"; readonly address: string; readonly index: number }
  /**
   * An https URL that the producer vouches for under the queue's secret. It is fetched directly, never with the API key of
   * the gateway.
   */
  | { readonly kind: "url"; readonly url: string };

/** Of a content address or a URL in a job. */
export const MAX_REFERENCE_CHARS = 2_048;

/** Whether a job may name its artifact by this URL: https, in printable ASCII, without user and password. */
export function isArtifactUrl(text: string): boolean {
  if (text.length > MAX_REFERENCE_CHARS || !/^https:\/\/[\x21-\x7e]+$/i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === "" && url.password === "";
}

/**
 * Whether artifacts can be had under a URI at all: gateways and clients take base58 of less than 100 characters, or a
 * SHA-256. The contract takes any text, and for a bounty with another one the gateway answers 500 for ever.
 */
export const isContentAddress = (uri: string): boolean =>
  /^[1-9A-HJ-NP-Za-km-z]{1,99}$/.test(uri) || /^[0-9a-fA-F]{64}$/.test(uri);

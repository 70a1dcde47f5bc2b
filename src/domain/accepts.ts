import type { ArtifactKind } from "./artifact.ts";
import { matchesAny, matchesEverything } from "./media-type.ts";

/** What a scanner is willing to look at. Whatever is left out is unlimited. */
export interface Accepts {
  /** Default: files only. */
  readonly kinds?: readonly ArtifactKind[];
  /**
   * MIME types; `type/*` and `*` match as one expects. Default: every type.
   * Scripts are `text/x-shellscript` and the like, other plain text `text/plain`, URL artifacts `text/x-url`,
   * unrecognised bytes `application/octet-stream`, nothing at all `application/x-empty`.
   */
  readonly types?: readonly string[];
  readonly maxSizeBytes?: number;
}

export type Refusal = "wrong-kind" | "too-large" | "type-not-accepted";

/** What is known of an artifact; whatever is left out is not known yet and refuses nothing. */
export interface KnownArtifact {
  readonly kind: ArtifactKind;
  /** Every type found in the content, most specific first. */
  readonly types?: readonly string[];
  readonly sizeBytes?: number;
}

const acceptsKind = (accepts: Accepts, kind: ArtifactKind): boolean =>
  (accepts.kinds ?? ["file"]).includes(kind);

/** Whether the answer can depend on the type at all. */
export const caresAboutTypes = (accepts: Accepts): boolean =>
  accepts.types !== undefined && !matchesEverything(accepts.types);

/** Why a backend does not take the artifact, or `undefined` when nothing known speaks against it. */
export function refusalOf(accepts: Accepts, artifact: KnownArtifact): Refusal | undefined {
  if (!acceptsKind(accepts, artifact.kind)) return "wrong-kind";
  if ((artifact.sizeBytes ?? 0) > (accepts.maxSizeBytes ?? Infinity)) return "too-large";
  if (artifact.types === undefined || accepts.types === undefined || !caresAboutTypes(accepts))
    return undefined;
  return matchesAny(accepts.types, artifact.types) ? undefined : "type-not-accepted";
}

import {
  type Accepts,
  caresAboutTypes,
  type KnownArtifact,
  type Refusal,
  refusalOf,
} from "../domain/accepts.ts";
import type { ArtifactClaim, ArtifactKind } from "../domain/artifact.ts";
import { matchesAny, matchesEverything } from "../domain/media-type.ts";
import { isShownOnly } from "./active-types.ts";
import { EMPTY_TYPE, TRIAGE_HEAD_BYTES, UNRECOGNISED, URL_TYPE } from "./detect.ts";
import { type Filter, filteredOut } from "./filters/filter.ts";
import { typesFurtherOn } from "./formats/far-types.ts";

export interface BackendTerms {
  readonly name: string;
  readonly accepts: Accepts;
}

/** Artifacts of these types go to these backends and to no others; no backend at all means: leave them alone. */
export interface Route {
  readonly types: readonly string[];
  readonly backends: readonly string[];
}

export interface TriageRules {
  readonly artifactKinds: readonly ArtifactKind[];
  readonly maxSizeBytes: number;
  readonly backends: readonly BackendTerms[];
  /** The first route that matches wins; without one, every backend that accepts the artifact is asked. */
  readonly routes: readonly Route[];
  /** On what the bounty declares; the operator's answer before anything is fetched. */
  readonly filters?: readonly Filter[];
  /**
   * What a MIME type that the bounty declares is worth. It is a stranger's word, so by default it decides nothing;
   * `may-skip` lets it save the look at artifacts that would be skipped if it were true. It never gets one scanned.
   */
  readonly declaredTypes?: "ignore" | "may-skip";
}

const SKIP_REASONS = [
  "wrong-kind", // neither the operator nor any backend takes this kind of artifact
  "filtered", // an operator's filter says so
  "too-large", // over the operator's limit, or over that of every backend
  "type-not-accepted", // no backend takes content of this type
  "routed-nowhere", // an operator's route says to leave this type alone
  "empty", // no content, and no backend asks for that
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export type Triage =
  | { readonly kind: "scan"; readonly backends: readonly string[] }
  | { readonly kind: "skip"; readonly reason: SkipReason; readonly detail: string }
  /** Undecided until the types in the first `bytes` of the content are known. */
  | { readonly kind: "look"; readonly bytes: number };

export interface TriageArtifact {
  readonly kind: ArtifactKind;
  readonly claim: ArtifactClaim;
  /** Detected in the content; absent before a look at the content. */
  readonly types?: readonly string[];
  /** Measured; absent before a look at the content. */
  readonly sizeBytes?: number;
  /** How much of the content the types were detected in; absent when it was all, or no more can be had. */
  readonly seenBytes?: number;
}

const skip = (reason: SkipReason, detail: string): Triage => ({ kind: "skip", reason, detail });

/** The most telling of several refusals: what the content is, before how long it is. */
const WORST_FIRST: readonly Refusal[] = ["type-not-accepted", "too-large", "wrong-kind"];

/**
 * Which backends should look at an artifact. Decides from what the bounty declares where it can (kind, size), else
 * asks for a look at the first bytes; with the types in hand it always decides. A declared size may skip an artifact:
 * a false one only spares us work.
 */
export function triage(artifact: TriageArtifact, rules: TriageRules): Triage {
  if (!rules.artifactKinds.includes(artifact.kind)) {
    return skip("wrong-kind", `${artifact.kind} artifacts are not taken`);
  }
  const filtered = filteredOut(rules.filters ?? [], artifact.claim);
  if (filtered !== undefined) return skip("filtered", filtered);
  const sizeBytes = artifact.sizeBytes ?? artifact.claim.sizeBytes;
  if (sizeBytes !== undefined && sizeBytes > rules.maxSizeBytes) {
    return skip("too-large", `${sizeBytes} bytes, the limit is ${rules.maxSizeBytes}`);
  }
  // What a URL artifact is, is known without fetching it.
  const types = artifact.types ?? (artifact.kind === "url" ? [URL_TYPE] : undefined);
  const known = { kind: artifact.kind, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  if (types !== undefined)
    return furtherLook({ ...known, types }, rules, artifact.seenBytes) ?? decide({ ...known, types }, rules);

  const blind = decide(known, rules);
  if (blind.kind !== "look" || rules.declaredTypes !== "may-skip" || !artifact.claim.mimetype) return blind;
  const declared = decide({ ...known, types: [artifact.claim.mimetype] }, rules);
  return declared.kind === "skip" ? { ...declared, detail: `${declared.detail} (as declared)` } : blind;
}

function decide(artifact: KnownArtifact, rules: TriageRules): Triage {
  const route = routeOf(artifact, rules.routes);
  if (route === "unclear") return { kind: "look", bytes: TRIAGE_HEAD_BYTES };
  if (route?.backends.length === 0) return skip("routed-nowhere", `a rule leaves ${named(artifact)} alone`);

  const asked = rules.backends.filter(({ name }) => route === undefined || route.backends.includes(name));
  const refusals = asked.map(({ accepts }) => refusalOf(accepts, artifact));
  const willing = asked.filter((_, at) => refusals[at] === undefined);
  if (willing.length === 0) return refuse(artifact, refusals);
  const undecided = artifact.types === undefined && willing.some(({ accepts }) => caresAboutTypes(accepts));
  if (undecided) return { kind: "look", bytes: TRIAGE_HEAD_BYTES };
  return { kind: "scan", backends: willing.map(({ name }) => name) };
}

/** A look at more of the content, when a type that may show there would change the decision; the shortest such look. */
function furtherLook(
  artifact: KnownArtifact & { readonly types: readonly string[] },
  rules: TriageRules,
  seenBytes: number | undefined,
): Triage | undefined {
  if (seenBytes === undefined) return undefined;
  const now = effectOf(decide(artifact, rules));
  const telling = typesFurtherOn(artifact.types, seenBytes).find(({ type }) => {
    const types = [type, ...artifact.types.filter((other) => other !== UNRECOGNISED)];
    return effectOf(decide({ ...artifact, types }, rules)) !== now;
  });
  return telling && { kind: "look", bytes: telling.bytes };
}

/** Who is asked, or why none is: what two decisions have to differ in to be worth a look. */
const effectOf = (decision: Triage): string =>
  decision.kind === "scan"
    ? `scan ${decision.backends.join()}`
    : decision.kind === "skip"
      ? decision.reason
      : "look";

/** The route that applies, `undefined` for none, `unclear` when that depends on a type that is not known yet. */
function routeOf(artifact: KnownArtifact, routes: readonly Route[]): Route | undefined | "unclear" {
  for (const route of routes) {
    if (matchesEverything(route.types)) return route;
    if (artifact.types === undefined) return "unclear";
    const named = artifact.types.filter((type) => matchesAny(route.types, [type]));
    if (named.length === 0) continue;
    // A picture that is a script as well is not left alone for being a picture.
    if (route.backends.length === 0 && isShownOnly(named, artifact.types)) continue;
    return route;
  }
  return undefined;
}

function refuse(artifact: KnownArtifact, refusals: readonly (Refusal | undefined)[]): Triage {
  const worst = WORST_FIRST.find((refusal) => refusals.includes(refusal)) ?? "type-not-accepted";
  if (worst === "too-large")
    return skip(worst, `${artifact.sizeBytes} bytes are more than any backend takes`);
  if (worst === "wrong-kind") return skip(worst, `no backend takes ${artifact.kind} artifacts`);
  if (artifact.types?.includes(EMPTY_TYPE)) return skip("empty", "there is no content");
  return skip(worst, `no backend takes ${named(artifact)}`);
}

const named = (artifact: KnownArtifact): string => artifact.types?.[0] ?? `any ${artifact.kind}`;

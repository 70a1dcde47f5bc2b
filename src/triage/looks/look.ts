/** Decides about an artifact by as much of its content as the rules ask for, and no more. */
import { detectTypes } from "../detect.ts";
import { type Triage, type TriageArtifact, type TriageRules, triage } from "../triage.ts";
import { Turns } from "./turns.ts";

/** The first so many bytes of the content; fewer when it has no more. */
export type ReadHead = (bytes: number) => Promise<Uint8Array>;

/** Looks that read more are made one after the other: a bounty may have 256 artifacts. */
const SMALL_LOOK_BYTES = 64 * 1024;
const largeLooks = new Turns();

/**
 * The decision, by content where the rules depend on it. Looks once at the beginning; further only where that can change the
 * decision (far-types.ts), at most twice. What lies further on and cannot be read changes nothing: the beginning decides.
 * The signal ends all reading, and waiting for a turn to read much: then, too, the beginning decides. Throws what
 * `readHead` throws at the first look.
 */
export async function triageByContent(
  artifact: TriageArtifact,
  rules: TriageRules,
  readHead: ReadHead,
  signal: AbortSignal,
): Promise<Exclude<Triage, { kind: "look" }>> {
  let decision = triage(artifact, rules);
  let seen: TriageArtifact | undefined;
  while (decision.kind === "look") {
    const { bytes } = decision;
    const next = await lookAt(artifact, readHead, bytes, signal).catch((error: unknown) => {
      if (seen === undefined) throw error;
      return final(seen);
    });
    seen = next;
    decision = triage(next, rules);
    // Each look is longer than the one before; otherwise what is there has to do.
    if (decision.kind === "look" && decision.bytes <= bytes) decision = triage(final(next), rules);
  }
  return decision;
}

async function lookAt(
  artifact: TriageArtifact,
  readHead: ReadHead,
  bytes: number,
  signal: AbortSignal,
): Promise<TriageArtifact> {
  const look = async (): Promise<TriageArtifact> => {
    const head = await readHead(bytes);
    const whole = head.length < bytes;
    const types = await detectTypes(head, artifact.kind, whole ? "whole" : "beginning");
    return { ...artifact, types, ...(whole ? { sizeBytes: head.length } : { seenBytes: head.length }) };
  };
  return bytes <= SMALL_LOOK_BYTES ? look() : largeLooks.take(look, signal);
}

/** As if all of it had been seen. */
const final = ({ seenBytes: _, ...artifact }: TriageArtifact): TriageArtifact => artifact;

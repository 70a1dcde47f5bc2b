import { z } from "zod";
import { VERDICTS, type Verdict } from "../domain/verdict.ts";

/** More than any scanner publishes, little enough for the queue. */
const MAX_METADATA_CHARS = 64 * 1024;
const MAX_TEXT_CHARS = 1024;

/** Half a character, as hostile text has it, would cost the whole assertion its metadata. */
const text = z
  .string()
  .nullish()
  .transform((value) => value?.slice(0, MAX_TEXT_CHARS).toWellFormed() || undefined);

const shown = (said: unknown): string =>
  typeof said === "string" ? JSON.stringify(said.slice(0, 40)) : `a ${typeof said}`;

/** Lenient with what means nothing (null, surplus keys, a confidence of 1.01), strict with what would cost a stake. */
const FindingShape = z.object({
  verdict: z.enum(VERDICTS, {
    error: ({ input }) =>
      input === undefined ? "it is missing" : `${shown(input)} is none of ${VERDICTS.join(", ")}`,
  }),
  confidence: z
    .number()
    .nullish()
    .transform((value) => (typeof value === "number" ? Math.min(1, Math.max(0, value)) : undefined)),
  family: text,
  detail: text,
  metadata: z.unknown().optional(),
});

/** A finding that can be trusted to have the shape it promises; nothing optional is left open. */
export interface CheckedFinding {
  readonly verdict: Verdict;
  /** 0..1. */
  readonly confidence: number;
  readonly family?: string;
  readonly detail?: string;
  /** Plain JSON. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Why the metadata was dropped, if it was: a verdict is worth a stake, whatever stands beside it. */
  readonly dropped?: string;
}

const DEFAULT_CONFIDENCE: Readonly<Record<Verdict, number>> = {
  malicious: 1,
  benign: 1,
  suspicious: 0.5,
  unknown: 0,
};

/** What a scanner said, or a sentence on why it is not a finding. */
export function checkFinding(
  said: unknown,
): { readonly ok: true; readonly finding: CheckedFinding } | { readonly ok: false; readonly why: string } {
  const checked = FindingShape.safeParse(said);
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!;
    return { ok: false, why: path.length === 0 ? message : `${path.join(".")}: ${message}` };
  }
  const { verdict, confidence, family, detail } = checked.data;
  const metadata = plainJson(checked.data.metadata ?? {});
  const sure = verdict === "unknown" ? 0 : (confidence ?? DEFAULT_CONFIDENCE[verdict]);
  return {
    ok: true,
    finding: {
      verdict,
      confidence: sure,
      metadata: metadata ?? {},
      ...(family && isMalware(verdict) && { family }),
      ...(detail && { detail }),
      ...(metadata === undefined && { dropped: DROPPED }),
    },
  };
}

/**
 * The same finding in a form that can be sent to another process, whatever its metadata is made of: that is JSON or, when it
 * cannot be, something that `checkFinding` drops. May throw what a getter of the finding throws.
 */
export function sendable(said: unknown): unknown {
  if (typeof said !== "object" || said === null || Array.isArray(said)) return said;
  const { verdict, confidence, family, detail, metadata } = said as Record<string, unknown>;
  const none = metadata === undefined || metadata === null;
  const finding = {
    verdict,
    confidence,
    family,
    detail,
    metadata: none ? metadata : jsonOrNothing(metadata),
  };
  return Object.fromEntries(Object.entries(finding).filter(([, value]) => value !== undefined));
}

/** What is no object is no metadata, and dropped with a word. */
const jsonOrNothing = (metadata: unknown): unknown => plainJson(metadata) ?? false;

/** What is clean or unknown belongs to no family, whatever a service writes there ("none", "Clean"). */
const isMalware = (verdict: Verdict): boolean => verdict === "malicious" || verdict === "suspicious";

const DROPPED = `metadata is left out: it must be an object that is JSON of at most ${MAX_METADATA_CHARS} characters.`;

const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === "string" ? value.toWellFormed() : value;

/** Takes out whatever JSON cannot say (functions, `undefined`); cycles, bigints and what is no object are refused. */
function plainJson(value: unknown): Record<string, unknown> | undefined {
  try {
    const written = JSON.stringify(value);
    if (written.length > MAX_METADATA_CHARS) return undefined;
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(written, wellFormed)).data;
  } catch {
    return undefined;
  }
}

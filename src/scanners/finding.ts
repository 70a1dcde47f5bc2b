import { z } from "zod";
import { VERDICTS, type Verdict } from "../domain/verdict.ts";

/** More than anybody publishes, little enough for the queue. */
const MAX_METADATA_CHARS = 64 * 1024;
const MAX_TEXT_CHARS = 1024;

const text = z
  .string()
  .nullish()
  .transform((value) => value?.slice(0, MAX_TEXT_CHARS) || undefined);

/** Lenient with what means nothing (null, surplus keys, a confidence of 1.01), strict with what would cost a stake. */
const FindingShape = z.object({
  verdict: z.enum(VERDICTS),
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
      ...{ verdict, confidence: sure, metadata: metadata ?? {} },
      ...(family && isMalware(verdict) && { family }),
      ...(detail && { detail }),
      ...(metadata === undefined && { dropped: DROPPED }),
    },
  };
}

/** What is clean or unknown belongs to no family, whatever a service writes there ("none", "Clean"). */
const isMalware = (verdict: Verdict): boolean => verdict === "malicious" || verdict === "suspicious";

const DROPPED = `metadata is left out: it must be an object that is JSON of at most ${MAX_METADATA_CHARS} characters.`;

/** Takes out whatever JSON cannot say (functions, `undefined`); cycles, bigints and what is no object are refused. */
function plainJson(value: unknown): Record<string, unknown> | undefined {
  try {
    const written = JSON.stringify(value);
    if (written.length > MAX_METADATA_CHARS) return undefined;
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(written)).data;
  } catch {
    return undefined;
  }
}

import { z } from "zod";
import { VERDICTS, type Verdict } from "../domain/verdict.ts";

/** Assertion metadata is kept small: every consumer fetches it for 256 artifacts with a one-second timeout. */
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
  metadata: z.record(z.string(), z.unknown()).nullish(),
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
  if (metadata === undefined)
    return { ok: false, why: `metadata is not JSON of at most ${MAX_METADATA_CHARS} characters` };
  const sure = verdict === "unknown" ? 0 : (confidence ?? DEFAULT_CONFIDENCE[verdict]);
  return {
    ok: true,
    finding: { verdict, confidence: sure, metadata, ...(family && { family }), ...(detail && { detail }) },
  };
}

/** Takes out whatever JSON cannot say (functions, dates, `undefined`); cycles and bigints are refused. */
function plainJson(value: Record<string, unknown>): Record<string, unknown> | undefined {
  try {
    const written = JSON.stringify(value);
    return written.length > MAX_METADATA_CHARS ? undefined : (JSON.parse(written) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/**
 * One local file from its path to its report, the way an artifact of a bounty goes: triage, the job handler of a consumer
 * for every backend that takes it, distillation.
 */
import { basename } from "node:path";
import { createScanHandler, type HandlerParts } from "../consumer/handle-job.ts";
import type { Testimony } from "../distill/contract.ts";
import type { ArtifactClaim, ArtifactKind } from "../domain/artifact.ts";
import { uintToGuid } from "../domain/guid.ts";
import { instant } from "../domain/instant.ts";
import type { Opinion } from "../domain/opinion.ts";
import { type ScanJob, scanJobId } from "../domain/scan.ts";
import { detectTypes } from "../triage/detect.ts";
import { type TriageRules, triage } from "../triage/triage.ts";
import { STANDARD_INPUT } from "./find-files.ts";
import { readFileWithin, readStreamWithin } from "./read-file.ts";
import { type FileReport, reportScanned, reportUnreadable, reportUnscanned, type Seen } from "./report.ts";

export interface ScanParts extends Pick<HandlerParts, "backends" | "clock" | "log"> {
  readonly rules: TriageRules;
  readonly distill: (testimony: Testimony) => Opinion;
  readonly kind: ArtifactKind;
  /** How long the backends may take over one file. */
  readonly deadlineMs: number;
}

/** There is no bounty: a job's id is only its name here, and its content is read already. */
const NO_BOUNTY = {
  guid: uintToGuid(0n),
  market: "side",
  artifactIndex: 0,
  artifact: { kind: "content", address: "", index: 0 },
} as const;

export async function scanFile(parts: ScanParts, path: Buffer, signal: AbortSignal): Promise<FileReport> {
  const { rules, kind, clock } = parts;
  const shown = path.toString();
  const content = await (shown === STANDARD_INPUT
    ? readStreamWithin(process.stdin, rules.maxSizeBytes)
    : readFileWithin(path, rules.maxSizeBytes));
  if (content.kind === "unreadable") return reportUnreadable(shown, content.why);
  const read = content.kind === "content" ? content : undefined;
  const size = content.kind === "content" ? content.bytes.length : content.sizeBytes;
  const types = read === undefined ? [] : await detectTypes(read.bytes, kind, "whole");
  const seen: Seen = { path: shown, sha256: read?.sha256 ?? null, size, types };

  const filename = basename(shown);
  const claim: ArtifactClaim = { filename, raw: { filename } };
  const decision = triage({ kind, claim, sizeBytes: size, ...(read && { types }) }, rules);
  if (decision.kind === "skip")
    return reportUnscanned(seen, `not scanned: ${decision.reason}, ${decision.detail}`);
  if (read === undefined || decision.kind === "look") return reportUnscanned(seen, "not scanned: too-large");

  const handle = createScanHandler({
    ...parts,
    source: { fetch: async () => read, [Symbol.asyncDispose]: async () => {} },
    consumer: "scan",
    maxSizeBytes: rules.maxSizeBytes,
  });
  const now = clock.now();
  const job = (backend: string): ScanJob => ({
    ...NO_BOUNTY,
    id: scanJobId(NO_BOUNTY.market, NO_BOUNTY.guid, NO_BOUNTY.artifactIndex, backend),
    backend,
    kind,
    claim,
    deadline: instant(now + parts.deadlineMs),
    maxSizeBytes: rules.maxSizeBytes,
    dispatchedAt: now,
  });
  const asked = decision.backends;
  const answers = await Promise.all(asked.map((backend) => handle(job(backend), signal)));
  return reportScanned(seen, parts.distill({ asked, answers }), answers);
}

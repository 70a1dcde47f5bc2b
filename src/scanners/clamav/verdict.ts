/** What clamd's replies mean for a stake. Pure. */
import { Fault } from "../../domain/fault.ts";
import type { Finding } from "../contract.ts";
import { excerpt } from "../described-answer.ts";

/** How far a signature is trusted, by the beginning of its name; the first that fits counts. */
const TRUST: readonly {
  readonly name: RegExp;
  readonly verdict: "malicious" | "suspicious";
  readonly confidence: number;
  readonly heuristic?: true;
}[] = [
  // Adware, packers, remote tools: unwanted by some, which is not what a bounty asks.
  { name: /^PUA\./, verdict: "suspicious", confidence: 0.4 },
  // Oddities of a format (broken headers, macros, spoofed links): common in clean files too.
  { name: /^Heuristics\./, verdict: "suspicious", confidence: 0.5, heuristic: true },
  // Not from ClamAV's own database: the operator's or a third party's, tested less widely.
  { name: /\.UNOFFICIAL$/, verdict: "malicious", confidence: 0.85 },
  { name: /./, verdict: "malicious", confidence: 0.95 },
];

/** Alerts that say clamd could not look: switched on by AlertEncrypted and AlertExceedsMax in clamd.conf. */
const COULD_NOT_LOOK = /^Heuristics\.(?:Encrypted|Limits\.Exceeded)/;

/**
 * Reads the reply to INSTREAM. `completeBytes` is clamd's MaxFileSize as the operator states it: clamd says OK to larger
 * content without looking at it. Throws Fault CLAMD_ERROR for an error of clamd's, CLAMD_REPLY for what is no reply.
 */
export function findingOfReply(
  reply: string,
  seen: { readonly sizeBytes: number; readonly completeBytes: number },
): Finding {
  const found = /^stream: (.+) FOUND$/.exec(reply)?.[1];
  if (found !== undefined) return findingOfSignature(found);
  if (reply === "stream: OK") {
    if (seen.sizeBytes <= seen.completeBytes) return { verdict: "unknown" };
    const detail = `It is larger than the ${seen.completeBytes} bytes up to which clamd looks at a file.`;
    return { verdict: "unknown", detail };
  }
  if (/^INSTREAM size limit exceeded/.test(reply))
    return { verdict: "unknown", detail: "It is larger than clamd's StreamMaxLength." };
  const error = /^(?:stream: )?(.*?)\.?\s*ERROR$/.exec(reply)?.[1];
  if (error !== undefined) throw new Fault("CLAMD_ERROR", `clamd could not scan it: ${excerpt(error)}.`);
  throw new Fault("CLAMD_REPLY", `clamd's reply is not understood: ${excerpt(reply)}.`);
}

function findingOfSignature(found: string): Finding {
  // With ExtendedDetectionInfo clamd adds "(md5:size)" to the name.
  const signature = found.replace(/\([0-9a-f]+:\d+\)$/, "");
  if (COULD_NOT_LOOK.test(signature))
    return { verdict: "unknown", detail: `clamd could not look at all of it: ${signature}.` };
  const { verdict, confidence, heuristic } = TRUST.find(({ name }) => name.test(signature))!;
  return {
    verdict,
    confidence,
    family: familyOf(signature),
    metadata: { signature, ...(heuristic === undefined ? {} : { heuristic }) },
  };
}

/** `Win.Trojan.Agent-6804618-0` is signature 6804618 of the family Win.Trojan.Agent. */
export const familyOf = (signature: string): string =>
  signature.replace(/\.UNOFFICIAL$/, "").replace(/(?:-\d+){1,2}$/, "") || signature;

/** clamd's program and signature database, as assertion metadata names them. */
export interface ClamdVersion {
  readonly vendor_version: string;
  /** Number and date of the daily database; absent when clamd has none, only signatures of the operator's. */
  readonly signatures_version?: string;
}

/** Reads the reply to VERSION: `ClamAV 1.4.6/27500/Thu Nov 19 09:00:00 2026`. Throws Fault CLAMD_REPLY. */
export function readVersion(reply: string): ClamdVersion {
  const [, program, database, date] = /^(ClamAV [^/\s]+)(?:\/(\d+))?(?:\/([ -~]{1,40}))?$/.exec(reply) ?? [];
  if (program === undefined) throw new Fault("CLAMD_REPLY", `What answers is no clamd: ${excerpt(reply)}.`);
  const signatures = [database, date].filter((part) => part !== undefined).join(" ");
  return { vendor_version: program, ...(signatures === "" ? {} : { signatures_version: signatures }) };
}

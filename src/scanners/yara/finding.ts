/** From the rules that match to what the backend says. Pure. docs/backend-yara.md is the operator's side of it. */
import type { Finding, Verdict } from "../contract.ts";
import type { RuleMatch } from "./engine.ts";

/** What one rule says of a file. */
interface RuleOpinion {
  readonly verdict: Exclude<Verdict, "unknown">;
  /** 0..1. */
  readonly confidence: number;
  readonly family: string | undefined;
}

/** As public rule sets write them; the first that is there counts. */
const FAMILY_KEYS = ["family", "malware_family", "malfamily", "threat_name", "malware"] as const;
const CONFIDENCE_KEYS = ["confidence", "score"] as const;
const WORDS: Readonly<Record<string, number>> = { low: 0.4, medium: 0.6, high: 0.8 };

/** The score that scanners of public rule sets give a rule that has none. */
const DEFAULT_CONFIDENCE = 0.75;
const DEFAULT_SUSPICION = 0.5;

/** The lists are cut off: the metadata of a whole bounty is fetched within a second. */
const MAX_RULES = 32;
const MAX_FAMILIES = 16;
const MAX_NAME_CHARS = 128;

/** Of opinions that are equally sure the worse one leads: a stake is lost sooner by calling malware clean. */
const GRAVITY = { malicious: 0, suspicious: 1, benign: 2 } as const;

/** `versions`: of the engine and of the rules, for the assertion metadata. */
export function findingOfMatches(
  matches: readonly RuleMatch[],
  versions: { readonly engine: string; readonly rules: string },
): Finding {
  const scanner = { vendor_version: versions.engine, signatures_version: versions.rules };
  const opinions = matches
    .map((match) => ({ match, ...opinionOf(match) }))
    .toSorted((a, b) => b.confidence - a.confidence || GRAVITY[a.verdict] - GRAVITY[b.verdict]);
  const lead = opinions[0];
  if (lead === undefined) return { verdict: "unknown", metadata: { scanner } };
  const rules = unique(opinions.map(({ match }) => match.rule));
  const families = unique(opinions.flatMap(({ family }) => family ?? []));
  const agreeing = opinions.find(({ verdict, family }) => verdict === lead.verdict && family !== undefined);
  const family = agreeing?.family ?? lead.match.rule;
  return {
    verdict: lead.verdict,
    confidence: lead.confidence,
    ...(lead.verdict === "benign" ? {} : { family: family.slice(0, MAX_NAME_CHARS) }),
    metadata: {
      scanner,
      yara_rules: rules.slice(0, MAX_RULES),
      ...(rules.length > MAX_RULES ? { yara_rules_matched: rules.length } : {}),
      ...(families.length > 0 ? { yara_families: families.slice(0, MAX_FAMILIES) } : {}),
    },
  };
}

const unique = (names: readonly string[]): string[] => [
  ...new Set(names.map((name) => name.slice(0, MAX_NAME_CHARS))),
];

function opinionOf({ meta }: RuleMatch): RuleOpinion {
  const said = text(meta.verdict)?.toLowerCase();
  const given = first(CONFIDENCE_KEYS, meta, ratio);
  const family = first(FAMILY_KEYS, meta, text);
  if (said === "benign" || said === "malicious")
    return { verdict: said, confidence: given ?? DEFAULT_CONFIDENCE, family };
  if (said === "suspicious") return { verdict: said, confidence: given ?? DEFAULT_SUSPICION, family };
  // A rule that is less than half sure that the file is malicious does not say that it is.
  const confidence = given ?? DEFAULT_CONFIDENCE;
  return { verdict: confidence < 0.5 ? "suspicious" : "malicious", confidence, family };
}

function first<T>(
  keys: readonly string[],
  meta: RuleMatch["meta"],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = read(meta[key]);
    if (value !== undefined) return value;
  }
  return undefined;
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;

/** A ratio up to 1, percent up to 100, or a word; whatever else it is says nothing. */
function ratio(value: unknown): number | undefined {
  const word = typeof value === "string" ? WORDS[value.trim().toLowerCase()] : undefined;
  if (word !== undefined) return word;
  const number = typeof value === "number" ? value : Number(text(value) ?? Number.NaN);
  if (!(number >= 0 && number <= 100)) return undefined;
  return number > 1 ? number / 100 : number;
}

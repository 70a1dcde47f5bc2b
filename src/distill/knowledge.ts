import type { ScanAnswer } from "../domain/scan.ts";
import type { Silence } from "../domain/silence.ts";
import type { Knowledge, Testimony } from "./contract.ts";
import type { Reliability } from "./experience/reliability.ts";

/** What is known before any backend answers about this artifact. */
export const knowledgeAbout = (
  { answers }: Testimony,
  silence: Silence,
  reliability: Reliability,
): Knowledge => ({ silence: silence(typesSeen(answers)), reliability });

/** All backends are given the same bytes: the types that the first of them by name found count for all. */
export function typesSeen(answers: readonly ScanAnswer[]): readonly string[] {
  const typed = answers.filter(({ types }) => types.length > 0);
  const [first] = typed.toSorted((a, b) => (a.backend < b.backend ? -1 : 1));
  return first?.types ?? [];
}

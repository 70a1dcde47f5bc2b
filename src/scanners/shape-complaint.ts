import type { z } from "zod";

/**
 * What is wrong with something that a person wrote, as the end of a sentence that begins with where: `version` and
 * "is missing". A misspelt key goes before the key that is missing because of it. Parse with `reportInput`.
 */
export function complaintIn({ issues }: z.ZodError): { readonly where: string; readonly what: string } {
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const missing = issue.code === "invalid_type" && "input" in issue && issue.input === undefined;
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return { where: issue.path.join("."), what: missing ? "is missing" : `is wrong (${message})` };
}

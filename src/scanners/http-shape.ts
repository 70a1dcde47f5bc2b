/** The description of a service. Apart from the scanner, so that a program's worker does not load an HTTP client. */
import { z } from "zod";
import { AnswerShape, OutcomesShape } from "./described-answer.ts";
import { AcceptsShape, ScannerName, ScannerVersion } from "./scanner-shape.ts";

/** `${SCANNER_TOKEN}` in a header: the value of that variable. Other variables do not reach a scanner. */
export const VARIABLE = /\$\{([^}]*)\}/g;
const SCANNER_VARIABLE = /^SCANNER_[A-Za-z0-9_]+$/;

const headerValue = z
  .string()
  .refine(
    (value) => [...value.matchAll(VARIABLE)].every(([, name]) => SCANNER_VARIABLE.test(name!)),
    "may name variables that begin with SCANNER_ only, such as SCANNER_TOKEN",
  )
  // What HTTP lets a header carry; a line break would begin another header.
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, "has characters that a header cannot carry");

export const HttpShape = z.strictObject({
  type: z.literal("http"),
  name: ScannerName,
  version: ScannerVersion,
  accepts: AcceptsShape.default({}),
  url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
  headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), headerValue).default({}),
  /** What statuses mean. Without it: 200 has the answer. */
  statuses: OutcomesShape.default({ "200": { verdict: "answer" } }),
  answer: AnswerShape.prefault({}),
  maxAnswerBytes: z
    .int()
    .positive()
    .max(64 * 1024 * 1024)
    .default(1024 * 1024),
});
export type HttpDescription = z.infer<typeof HttpShape>;

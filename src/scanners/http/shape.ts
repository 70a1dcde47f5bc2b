/** The description of a service. Apart from the scanner, so that a program's worker does not load an HTTP client. */
import { z } from "zod";
import { AnswerShape, OutcomesShape } from "../described-answer.ts";
import { AcceptsShape, ScannerName, ScannerVersion } from "../scanner-shape.ts";
import { BodyShape, Template } from "./body.ts";

/** In a URL: the content's SHA-256. */
export const HASH_PLACE = "{sha256}";

/** What HTTP lets a header carry; a line break would begin another header. */
const headerValue = Template.regex(/^[\t\x20-\x7e\x80-\xff]*$/, "has characters that a header cannot carry");

export const HttpShape = z
  .strictObject({
    type: z.literal("http"),
    name: ScannerName,
    version: ScannerVersion,
    accepts: AcceptsShape.default({}),
    method: z.enum(["POST", "PUT", "GET"]).default("POST"),
    /** `{sha256}` in it stands for the content's hash. */
    url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
    headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), headerValue).default({}),
    /** How the content is sent. Without it: as it is, or not at all with GET. */
    body: BodyShape.exactOptional(),
    /** What statuses mean. Without it: 200 has the answer. */
    statuses: OutcomesShape.default({ "200": { verdict: "answer" } }),
    answer: AnswerShape.prefault({}),
    maxAnswerBytes: z
      .int()
      .positive()
      .max(64 * 1024 * 1024)
      .default(1024 * 1024),
  })
  .check(({ value, issues }) => {
    const complain = (field: string, message: string): void => {
      issues.push({ code: "custom", message, path: [field], input: value });
    };
    if (value.method === "GET" && value.body !== undefined) complain("body", "is not sent with GET");
    if (value.method === "GET" && !value.url.includes(HASH_PLACE))
      complain("url", `must say with ${HASH_PLACE} what is asked about, because GET sends no content`);
    if (
      value.body?.as === "multipart" &&
      Object.keys(value.headers).some((name) => /^content-type$/i.test(name))
    )
      complain("headers", "must leave content-type to a multipart body, which has a boundary to name");
  });
export type HttpDescription = z.infer<typeof HttpShape>;

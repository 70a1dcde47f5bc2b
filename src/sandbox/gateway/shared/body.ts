import type { core, ZodType } from "zod";
import { z } from "zod";
import { Failure } from "./envelope.ts";

/** A decimal string of at most 100 digits. */
export const Digits = z.string().regex(/^\d{1,100}$/);

/** The flags of a bit set in JSON, index i for artifact i. */
export const Flags = z.array(z.boolean()).max(256);

/** Validates a request body; what does not match is 400 "Invalid JSON: data…", worded as the gateway's validator does. */
export function readBody<T>(schema: ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw new Failure(400, `Invalid JSON: ${describe(read.error.issues[0]!, body)}`);
}

function describe(issue: core.$ZodIssue, body: unknown): string {
  const at = issue.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`),
    "data",
  );
  if (issue.code === "invalid_type") {
    if (issue.path.length === 1 && isMissing(body, issue.path[0])) {
      return `data must contain ['${String(issue.path[0])}'] properties`;
    }
    return `${at} must be ${issue.expected}`;
  }
  if (issue.code === "too_big") return `${at} must contain less than or equal to ${issue.maximum} items`;
  if (issue.code === "too_small") return `${at} must be longer than or equal to ${issue.minimum} characters`;
  if (issue.code === "invalid_format" && issue.pattern !== undefined) {
    return `${at} must match pattern ${issue.pattern.replaceAll(/^\/|\/$/g, "")}`;
  }
  return `${at} is invalid`;
}

const isMissing = (body: unknown, key: PropertyKey | undefined): boolean =>
  typeof body === "object" && body !== null && key !== undefined && !(key in body);

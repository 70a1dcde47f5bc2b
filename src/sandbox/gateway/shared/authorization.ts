import type { FastifyInstance, FastifyRequest } from "fastify";
import { Failure } from "./envelope.ts";

/** Open to every caller, by exact match of the path: with a trailing slash they need a key. */
const OPEN_PATHS = new Set(["/status", "/relay/withdrawal", "/transactions"]);

/** The key is the last word of the header, so `Bearer <key>` works too. */
export const hasKey = (keys: ReadonlySet<string>, request: FastifyRequest): boolean =>
  keys.has((request.headers.authorization ?? "").trim().split(/\s+/).at(-1) ?? "");

/** Refuses requests without a valid key, before anything else is looked at. */
export function requireKeys(
  app: FastifyInstance,
  keys: ReadonlySet<string>,
  options: { readonly pathOf: (url: string) => string; readonly maxBodyBytes: number },
): void {
  app.addHook("onRequest", async (request) => {
    if (OPEN_PATHS.has(options.pathOf(request.originalUrl))) return;
    if (!hasKey(keys, request)) throw new Failure(401, "Unauthorized");
    if (Number(request.headers["content-length"] ?? 0) > options.maxBodyBytes) {
      throw new Failure(413, "Payload too large");
    }
  });
}

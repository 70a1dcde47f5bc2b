import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { MAX_ARTIFACTS } from "../../domain/artifact.ts";
import { parseJson, stringifyJson } from "../../json/json.ts";
import { pathPatterns } from "./path-patterns.ts";
import type { GatewayContext } from "./shared/context.ts";
import { Failure, failed, HttpTrouble } from "./shared/envelope.ts";

/**
 * The HTTP server without its routes: how bodies are read and answers written, what errors look like, and paths that
 * tolerate a base and trailing slashes.
 */
export function createApp(gateway: GatewayContext, withoutBase: (url: string) => string): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyLimit(gateway),
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    rewriteUrl: (request) => withoutSlashes(withoutBase(request.url ?? "/")),
  });
  // `GET /transactions` carries its hashes in a body.
  app.addHttpMethod("GET", { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    async (_request: unknown, text: unknown) => parseBody(String(text)),
  );
  // A body that does not say it is JSON is not seen at all.
  app.addContentTypeParser("*", { parseAs: "buffer" }, async () => undefined);
  app.setReplySerializer((payload) => stringifyJson(payload));

  const patterns = pathPatterns();
  app.addHook("onRoute", ({ url }) => patterns.add(url));
  app.setNotFoundHandler(async (request, reply) => {
    const known = patterns.match(request.url.split("?")[0]!);
    return reply.status(known ? 405 : 404).send({
      message: known
        ? "The method is not allowed for the requested URL."
        : "The requested URL was not found on the server.",
    });
  });
  app.setErrorHandler<FastifyError | Failure | HttpTrouble>(async (error, _request, reply) => {
    if (error instanceof Failure) return reply.status(error.status).send(failed(error.errors));
    if (error instanceof HttpTrouble) return reply.status(error.status).send({ message: error.message });
    const status = error.statusCode ?? 500;
    if (status >= 500) gateway.log.warn({ err: error }, "gateway.request.failed");
    return reply.status(status).send({ message: status >= 500 ? "Internal Server Error" : error.message });
  });
  return app;
}

function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return parseJson(text);
  } catch {
    throw new HttpTrouble(
      400,
      "The browser (or proxy) sent a request that this server could not understand.",
    );
  }
}

/** Bytes. */
export const bodyLimit = ({ maxArtifactBytes }: GatewayContext): number => maxArtifactBytes * MAX_ARTIFACTS;

/** The URL without the slashes that may end its path; the query stays. */
export function withoutSlashes(url: string): string {
  const [path, ...query] = url.split("?");
  return [path!.replace(/\/+$/, "") || "/", ...query].join("?");
}

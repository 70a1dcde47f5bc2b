import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { MAX_ARTIFACTS } from "../../../domain/artifact.ts";
import { isArtifactUri } from "../../content/cid.ts";
import type { ArtifactLink } from "../../content/store.ts";
import { dawdle } from "../shared/as-real.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { INDEX, indexParameter, textParameter } from "../shared/routes.ts";

export async function artifactRoutes(app: FastifyInstance, gateway: GatewayContext): Promise<void> {
  const { store, maxArtifactBytes } = gateway;
  // One more byte, one more file: what exceeds a limit must be seen to be refused with its own words.
  const limits = { fileSize: maxArtifactBytes + 1, files: MAX_ARTIFACTS + 1, parts: MAX_ARTIFACTS + 2 };
  await app.register(multipart, { limits, throwFileSizeLimit: false });

  app.get("/artifacts/status", async () => ok({ online: true }));

  app.post("/artifacts", async (request) =>
    ok(store.putDirectory(await readUpload(request, maxArtifactBytes))),
  );

  app.get("/artifacts/:uri", async (request) => ok(await linksOf(gateway, textParameter(request, "uri"))));

  app.get(`/artifacts/:uri/${INDEX}`, async (request, reply) => {
    const { content } = await artifactOf(gateway, request);
    // The gateway says so whatever the content is.
    return reply.type("text/html; charset=utf-8").send(content);
  });

  app.get(`/artifacts/:uri/${INDEX}/stat`, async (request) => {
    const { link, content } = await artifactOf(gateway, request);
    return ok({
      hash: link.hash,
      num_links: 0,
      block_size: content.length,
      links_size: 0,
      data_size: content.length,
      cumulative_size: content.length,
      name: link.name,
    });
  });
}

async function readUpload(request: FastifyRequest, maxBytes: number): Promise<Uint8Array[]> {
  if (!request.isMultipart()) throw new Failure(400, "No artifacts");
  const files: Uint8Array[] = [];
  for await (const part of request.files()) {
    const content = await part.toBuffer();
    if (part.fieldname !== "file") continue;
    if (content.length > maxBytes) throw new Failure(413, "Artifact too large");
    if (content.length === 0) throw new Failure(400, "Artifact empty");
    files.push(content);
    if (files.length > MAX_ARTIFACTS) throw new Failure(400, "Too many artifacts");
  }
  if (files.length === 0) throw new Failure(400, "No artifacts");
  return files;
}

async function linksOf(gateway: GatewayContext, uri: string): Promise<readonly ArtifactLink[]> {
  if (!isArtifactUri(uri)) throw new Failure(400, "Invalid artifact URI");
  const links = gateway.store.list(uri);
  if (links === undefined) throw await notFound(gateway, uri);
  if (links.length > MAX_ARTIFACTS) throw new Failure(400, `Invalid ${uri} resource, too many links`);
  return links;
}

/** Content that is slow to come looks like content that never comes. */
async function notFound({ asReal, closing }: GatewayContext, uri: string): Promise<Failure> {
  if (asReal === undefined) return new Failure(404, `Artifact with URI ${uri} not found`);
  await dawdle(asReal.missingMs, closing);
  return new Failure(500, "Timeout running ls");
}

async function artifactOf(
  gateway: GatewayContext,
  request: FastifyRequest,
): Promise<{ readonly link: ArtifactLink; readonly content: Uint8Array }> {
  const [uri, index] = [textParameter(request, "uri"), indexParameter(request)];
  const link = (await linksOf(gateway, uri))[index];
  const content = gateway.store.get(uri, index);
  if (link === undefined || content === undefined) {
    throw await notFound(gateway, uri);
  }
  if (content.length > gateway.maxArtifactBytes) throw new Failure(400, `Artifact with URI ${uri} too large`);
  return { link, content };
}

import type { FastifyInstance } from "fastify";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { AssertionMetadata, BountyMetadata } from "../shared/metadata-schema.ts";

/** `POST /bounties/metadata`: the body itself is the document; the answer is its URI. */
export function metadataRoutes(app: FastifyInstance, { store }: GatewayContext): void {
  app.post("/bounties/metadata", async (request) => {
    const fits = [AssertionMetadata, BountyMetadata].some((schema) => schema.safeParse(request.body).success);
    if (!fits) throw new Failure(400, "Invalid metadata");
    return ok(store.putJson(request.body));
  });
}

import type { FastifyInstance } from "fastify";
import { readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { ok } from "../shared/envelope.ts";

export function statusRoutes(app: FastifyInstance, { chain, apiKeys }: GatewayContext): void {
  app.get("/status", async () =>
    ok({
      community: "sandbox",
      // The sandbox has no home chain.
      home: { reachable: false },
      side: { reachable: true, syncing: false, block: await chain.head() },
      artifact_services: { ipfs: { reachable: true } },
      ...(apiKeys === undefined ? {} : { auth: { reachable: true } }),
    }),
  );

  app.get("/syncing", async (request) => {
    readCaller(request);
    return ok(false);
  });

  // The side chain's relay charges nothing.
  app.get("/relay/fees", async (request) => {
    readCaller(request);
    return ok({ fees: 0 });
  });
}

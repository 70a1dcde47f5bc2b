import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { sameAddress } from "../../../domain/address.ts";
import { checksummed, readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { ok } from "../shared/envelope.ts";
import { transactionCount } from "../shared/unsigned.ts";

/** The node's pool: account to nonce to transaction. */
const Pool = z.record(z.string(), z.record(z.string(), z.unknown()));
const PoolContent = z.object({ pending: Pool, queued: Pool });

export function nonceRoutes(app: FastifyInstance, { chain }: GatewayContext): void {
  app.get("/nonce", async (request) => {
    const { account } = readCaller(request);
    const minedOnly = "ignore_pending" in (request.query as object);
    return ok(await transactionCount(chain, account, minedOnly ? "latest" : "pending"));
  });

  app.get("/pending", async (request) => {
    const { account } = readCaller(request);
    const content = PoolContent.parse(await chain.rpc("txpool_content"));
    return ok(pendingNonces(content, account));
  });
}

/**
 * Nonces of the account's transactions that wait in the pool, as decimal strings. The pool is looked up by checksum
 * address: any other spelling of the account silently has none.
 */
export function pendingNonces(content: z.infer<typeof PoolContent>, account: string): string[] {
  if (account !== checksummed(account)) return [];
  return [content.pending, content.queued]
    .flatMap((pool) => Object.entries(pool))
    .filter(([owner]) => sameAddress(owner, account))
    .flatMap(([, byNonce]) => Object.keys(byNonce));
}

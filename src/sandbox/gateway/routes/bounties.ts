import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { ARTIFACT_KINDS } from "../../../domain/artifact.ts";
import { guidToUint, parseGuid } from "../../../domain/guid.ts";
import { bloomOf } from "../../content/bloom.ts";
import { isArtifactUri, isBase58 } from "../../content/cid.ts";
import { readBody } from "../shared/body.ts";
import { readCaller, readInteger } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, HttpTrouble, ok } from "../shared/envelope.ts";
import { paddedFlags } from "../shared/flags.ts";
import { BountyMetadata } from "../shared/metadata-schema.ts";
import {
  fetchBounty,
  type RegistryBounty,
  readBloom,
  readCount,
  readGuids,
  readUint,
  requireBounty,
} from "../shared/registry.ts";
import { GUID, guidParameter } from "../shared/routes.ts";
import { substituteMetadata } from "../shared/substitution.ts";
import { buildTransactions } from "../shared/unsigned.ts";

/** The gateway reads at most this many of the contract's pages for one answer. */
const MAX_PAGES = 3;

const PostBody = z.object({
  artifact_type: z.literal(ARTIFACT_KINDS),
  amount: z.string().regex(/^\d{1,100}$/),
  uri: z.string().min(1).max(100),
  duration: z.int().min(1),
  metadata: z.string().min(1).max(100).optional(),
});

export function bountyRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  const { chain, store } = gateway;

  app.get("/bounties", async (request) => {
    readCaller(request);
    return ok(await listGuids(gateway, request));
  });

  app.post("/bounties", async (request) => {
    const caller = readCaller(request);
    const body = readBody(PostBody, request.body);
    const cids = listedCids(gateway, body.uri);
    const minimum = await readUint(chain, chain.contracts.registry, "BOUNTY_AMOUNT_MINIMUM");
    const amount = BigInt(body.amount);
    if (amount < minimum * BigInt(cids.length)) throw new Failure(400, "Invalid bounty amount");
    checkMetadataUri(body.metadata);
    const fee = await readUint(chain, chain.contracts.registry, "bountyFee");
    const { token, registry } = chain.contracts;
    const guid = guidToUint(parseGuid(randomUUID()));
    const type = ARTIFACT_KINDS.indexOf(body.artifact_type);
    const { uri, duration, metadata = "" } = body;
    const post = [guid, type, amount, uri, cids.length, duration, bloomOf(cids), metadata];
    return ok({
      transactions: await buildTransactions(gateway, caller, [
        { contract: token, fn: "approve", args: [registry.address, amount + fee] },
        { contract: registry, fn: "postBounty", args: post },
      ]),
    });
  });

  app.get(`/bounties/${GUID}`, async (request) => {
    readCaller(request);
    const bounty = await fetchBounty(chain, guidParameter(request));
    // A bounty that was never posted has an empty URI, and the URI is looked at before anything else.
    if (bounty.uri === "") throw new Failure(400, "Invalid IPFS URI");
    if (!isArtifactUri(bounty.uri))
      throw new HttpTrouble(500, gateway.asReal === undefined ? "Internal Server Error" : "");
    const metadata = substituteMetadata(store, bounty.metadata, BountyMetadata);
    return ok(shapeBounty(bounty, metadata));
  });

  app.get(`/bounties/${GUID}/bloom`, async (request) => {
    readCaller(request);
    const { guid } = await requireBounty(chain, guidParameter(request));
    return ok({ bloom: await readBloom(chain, guid) });
  });

  app.post(`/bounties/${GUID}/settle`, async (request) => {
    const caller = readCaller(request);
    const args = [guidToUint(guidParameter(request))];
    return ok({
      transactions: await buildTransactions(gateway, caller, [
        { contract: chain.contracts.registry, fn: "settleBounty", args },
      ]),
    });
  });
}

/** `expiration` is a bare integer here and a string in the event. */
const shapeBounty = (bounty: RegistryBounty, metadata: unknown): object => ({
  guid: bounty.guid,
  artifact_type: bounty.kind,
  author: bounty.author,
  amount: bounty.amount.toString(),
  uri: bounty.uri,
  num_artifacts: bounty.artifactCount,
  expiration: bounty.expiration,
  assigned_arbiter: bounty.assignedArbiter,
  quorum_reached: bounty.quorumReached,
  quorum_reached_block: bounty.quorumBlock,
  quorum_mask: paddedFlags(bounty.quorumMask, bounty.artifactCount),
  metadata: metadata === "" ? null : metadata,
});

async function listGuids({ chain }: GatewayContext, request: FastifyRequest): Promise<string[]> {
  const query = request.query as { page?: string; count?: string };
  const pageSize = await readCount(chain, chain.contracts.registry, "PAGE_SIZE");
  const page = readInteger(query.page ?? "0");
  const count = readInteger(query.count ?? String(pageSize));
  if (count < pageSize || count % pageSize !== 0 || count > MAX_PAGES * pageSize) {
    throw new Failure(400, `Count must be a multiple of page size ${pageSize}`);
  }
  if (page < 0) throw new HttpTrouble(500, "Internal Server Error");
  const pages = count / pageSize;
  const guids = await Promise.all(
    Array.from({ length: pages }, (_, i) => readGuids(chain, page * pages + i)),
  );
  return guids.flat();
}

function listedCids({ store }: GatewayContext, uri: string): string[] {
  if (!isArtifactUri(uri)) throw new Failure(500, "Failed to check artifact uri");
  const links = store.list(uri);
  if (links === undefined) throw new Failure(404, `Artifact with URI ${uri} not found`);
  return links.map((link) => link.hash);
}

function checkMetadataUri(uri: string | undefined): void {
  if (uri === undefined) return;
  if (!isBase58(uri)) throw new HttpTrouble(500, "Internal Server Error");
  if (!isArtifactUri(uri)) throw new Failure(400, "Invalid bounty metadata URI (should be IPFS hash)");
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { packBits } from "../../../domain/bits.ts";
import { guidToUint } from "../../../domain/guid.ts";
import { Flags, readBody } from "../shared/body.ts";
import { readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { paddedFlags } from "../shared/flags.ts";
import { countVotes, fetchVote, type RegistryVote, requireBounty } from "../shared/registry.ts";
import { GUID, guidParameter, INDEX, indexParameter } from "../shared/routes.ts";
import { buildTransactions } from "../shared/unsigned.ts";

const VoteBody = z.object({ votes: Flags, valid_bloom: z.boolean() });

export function voteRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  const { chain } = gateway;

  app.post(`/bounties/${GUID}/vote`, async (request) => {
    const caller = readCaller(request);
    const body = readBody(VoteBody, request.body);
    const args = [guidToUint(guidParameter(request)), packBits(body.votes), body.valid_bloom];
    return ok({
      transactions: await buildTransactions(gateway, caller, [
        { contract: chain.contracts.registry, fn: "voteOnBounty", args },
      ]),
    });
  });

  app.get(`/bounties/${GUID}/votes`, async (request) => {
    readCaller(request);
    const guid = guidParameter(request);
    const bounty = await requireBounty(chain, guid);
    const count = await countVotes(chain, guid);
    const votes = await Promise.all(Array.from({ length: count }, (_, i) => fetchVote(chain, guid, i)));
    return ok(votes.map((vote) => shapeVote(vote, bounty.artifactCount)));
  });

  app.get(`/bounties/${GUID}/votes/${INDEX}`, async (request) => {
    readCaller(request);
    const [guid, index] = [guidParameter(request), indexParameter(request)];
    const bounty = await requireBounty(chain, guid);
    const count = await countVotes(chain, guid);
    if (index >= count) throw new Failure(404, "Vote not found");
    return ok(shapeVote(await fetchVote(chain, guid, index), bounty.artifactCount));
  });
}

const shapeVote = (vote: RegistryVote, artifactCount: number): object => ({
  voter: vote.voter,
  votes: paddedFlags(vote.votes, artifactCount),
  valid_bloom: vote.validBloom,
});

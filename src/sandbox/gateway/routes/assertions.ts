import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { packBits } from "../../../domain/bits.ts";
import { guidToUint } from "../../../domain/guid.ts";
import { commit } from "../../content/commitment.ts";
import { Digits, Flags, readBody } from "../shared/body.ts";
import { type Caller, readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { paddedFlags } from "../shared/flags.ts";
import { AssertionMetadata } from "../shared/metadata-schema.ts";
import {
  countAssertions,
  fetchAssertion,
  type RegistryAssertion,
  readUint,
  requireBounty,
} from "../shared/registry.ts";
import { GUID, guidParameter, INDEX, indexParameter } from "../shared/routes.ts";
import { substituteMetadata } from "../shared/substitution.ts";
import { buildTransactions } from "../shared/unsigned.ts";

const AssertBody = z.object({
  bid: z.array(Digits).max(256),
  mask: Flags,
  commitment: Digits.optional(),
  verdicts: Flags.optional(),
});

const RevealBody = z.object({
  nonce: Digits,
  verdicts: Flags,
  metadata: z.string().max(1024),
});

export function assertionRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  const { chain, store } = gateway;

  app.post(`/bounties/${GUID}/assertions`, async (request) => {
    const caller = readCaller(request);
    const body = readBody(AssertBody, request.body);
    const { commitment, nonce } = commitmentOf(body, caller);
    if (body.bid.length === 0 || body.bid.length !== body.mask.filter(Boolean).length) {
      throw new Failure(400, "bid_portions must be equal in length to the number of true mask values");
    }
    const bids = body.bid.map(BigInt);
    const fee = await readUint(chain, chain.contracts.registry, "assertionFee");
    const { token, registry } = chain.contracts;
    const approved = bids.reduce((sum, bid) => sum + bid, fee);
    const args = [guidToUint(guidParameter(request)), bids, packBits(body.mask), commitment];
    const transactions = await buildTransactions(gateway, caller, [
      { contract: token, fn: "approve", args: [registry.address, approved] },
      { contract: registry, fn: "postAssertion", args },
    ]);
    return ok(nonce === undefined ? { transactions } : { transactions, nonce });
  });

  app.post(`/bounties/${GUID}/assertions/${INDEX}/reveal`, async (request) => {
    const caller = readCaller(request);
    const { nonce, verdicts, metadata } = readBody(RevealBody, request.body);
    const id = guidToUint(guidParameter(request));
    const args = [id, indexParameter(request), BigInt(nonce), packBits(verdicts), metadata];
    return ok({
      transactions: await buildTransactions(gateway, caller, [
        { contract: chain.contracts.registry, fn: "revealAssertion", args },
      ]),
    });
  });

  app.get(`/bounties/${GUID}/assertions`, async (request) => {
    readCaller(request);
    const guid = guidParameter(request);
    const bounty = await requireBounty(chain, guid);
    const count = await countAssertions(chain, guid);
    const records = await Promise.all(
      Array.from({ length: count }, (_, i) => fetchAssertion(chain, guid, i)),
    );
    const shape = (record: RegistryAssertion): object => {
      const told = shapeAssertion(record, bounty.artifactCount, metadataOf(record));
      // Only the list says so: the single form shows false for what is not revealed yet.
      return record.nonce === 0n ? { ...told, verdicts: told.verdicts.map(() => null) } : told;
    };
    return ok(records.map(shape));
  });

  app.get(`/bounties/${GUID}/assertions/${INDEX}`, async (request) => {
    readCaller(request);
    const [guid, index] = [guidParameter(request), indexParameter(request)];
    const bounty = await requireBounty(chain, guid);
    const count = await countAssertions(chain, guid);
    if (index >= count) throw new Failure(404, "Assertion not found");
    const record = await fetchAssertion(chain, guid, index);
    return ok(shapeAssertion(record, bounty.artifactCount, metadataOf(record)));
  });

  const metadataOf = (record: RegistryAssertion): unknown =>
    substituteMetadata(store, record.metadata, AssertionMetadata);
}

const shapeAssertion = (record: RegistryAssertion, artifactCount: number, metadata: unknown) => ({
  author: record.author,
  mask: paddedFlags(record.mask, artifactCount),
  commitment: record.commitment.toString(),
  nonce: record.nonce.toString(),
  verdicts: paddedFlags(record.verdicts, artifactCount),
  metadata,
  bid: record.bids.map(String),
});

/** The client's commitment, or one made here, with the nonce that the client will need to reveal. */
function commitmentOf(
  body: z.infer<typeof AssertBody>,
  caller: Caller,
): { commitment: bigint; nonce?: bigint } {
  if (body.commitment !== undefined) return { commitment: BigInt(body.commitment) };
  if (body.verdicts === undefined) {
    throw new Failure(400, "Require verdicts and bid_portions or a commitment");
  }
  const nonce = BigInt(`0x${randomBytes(32).toString("hex")}`);
  return { commitment: commit(caller.account, packBits(body.verdicts), nonce), nonce };
}

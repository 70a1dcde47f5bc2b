import { z } from "zod";
import type { Address } from "../../../domain/address.ts";
import { ARTIFACT_KINDS, type ArtifactKind } from "../../../domain/artifact.ts";
import { type Guid, guidToUint, uintToGuid } from "../../../domain/guid.ts";
import type { Chain } from "../../chain/chain.ts";
import type { Contract } from "../../chain/deploy.ts";
import { checksummed } from "./caller.ts";
import { Failure } from "./envelope.ts";
import { setBits } from "./flags.ts";

/** Reads of the contracts, each answer given a name and a type. Amounts are base units, windows are blocks. */

const Uint = z.union([z.bigint(), z.int()]).transform(BigInt);
const Count = Uint.transform(Number);
const Account = z.string().transform(checksummed);

export interface RegistryBounty {
  readonly guid: Guid;
  readonly kind: ArtifactKind;
  readonly author: Address;
  readonly amount: bigint;
  readonly uri: string;
  readonly artifactCount: number;
  readonly expiration: number;
  readonly assignedArbiter: Address;
  readonly quorumReached: boolean;
  /** Blocks after the expiration. */
  readonly quorumBlock: number;
  readonly quorumMask: bigint;
  readonly metadata: string;
}

const BountyTuple = z
  .tuple([
    Uint,
    Count,
    Account,
    Uint,
    z.string(),
    Count,
    Count,
    Account,
    z.boolean(),
    Count,
    Uint,
    z.string(),
  ])
  .transform(
    ([guid, type, author, amount, uri, artifactCount, expiration, arbiter, quorum, at, mask, metadata]) => ({
      guid: uintToGuid(guid),
      kind: ARTIFACT_KINDS[type] ?? "file",
      author,
      amount,
      uri,
      artifactCount,
      expiration,
      assignedArbiter: arbiter,
      quorumReached: quorum,
      quorumBlock: at,
      quorumMask: mask,
      metadata,
    }),
  );

/** The bounty as the registry holds it; every field is zero or empty for one that was never posted. */
export async function fetchBounty(chain: Chain, guid: Guid): Promise<RegistryBounty> {
  return BountyTuple.parse(await registryCall(chain, "bountiesByGuid", [guidToUint(guid)]));
}

/** The bounty, or 404 "Bounty not found" when it was never posted: then it has no artifacts. */
export async function requireBounty(chain: Chain, guid: Guid): Promise<RegistryBounty> {
  const bounty = await fetchBounty(chain, guid);
  if (bounty.artifactCount === 0) throw new Failure(404, "Bounty not found");
  return bounty;
}

export interface RegistryAssertion {
  readonly author: Address;
  readonly mask: bigint;
  readonly commitment: bigint;
  /** 0 until the assertion is revealed. */
  readonly nonce: bigint;
  readonly verdicts: bigint;
  readonly metadata: string;
  readonly bids: readonly bigint[];
}

const AssertionTuple = z.tuple([Account, Uint, Uint, Uint, Uint, z.string()]);

export async function fetchAssertion(chain: Chain, guid: Guid, index: number): Promise<RegistryAssertion> {
  const id = guidToUint(guid);
  const [author, mask, commitment, nonce, verdicts, metadata] = AssertionTuple.parse(
    await registryCall(chain, "assertionsByGuid", [id, index]),
  );
  const [bids] = z.tuple([z.array(Uint)]).parse(await registryCall(chain, "getBids", [id, index]));
  // A bid stands for each bit of the mask; some contracts hand out a longer array.
  return { author, mask, commitment, nonce, verdicts, metadata, bids: bids.slice(0, setBits(mask).length) };
}

export interface RegistryVote {
  readonly voter: Address;
  readonly votes: bigint;
  readonly validBloom: boolean;
}

export async function fetchVote(chain: Chain, guid: Guid, index: number): Promise<RegistryVote> {
  const answer = await registryCall(chain, "votesByGuid", [guidToUint(guid), index]);
  const [voter, votes, validBloom] = z.tuple([Account, Uint, z.boolean()]).parse(answer);
  return { voter, votes, validBloom };
}

export const countAssertions = (chain: Chain, guid: Guid): Promise<number> =>
  readCount(chain, chain.contracts.registry, "getNumberOfAssertions", [guidToUint(guid)]);

export const countVotes = (chain: Chain, guid: Guid): Promise<number> =>
  readCount(chain, chain.contracts.registry, "getNumberOfVotes", [guidToUint(guid)]);

export const readBloom = (chain: Chain, guid: Guid): Promise<bigint[]> =>
  Promise.all(
    Array.from({ length: 8 }, (_, word) =>
      readUint(chain, chain.contracts.registry, "bloomByGuid", [guidToUint(guid), word]),
    ),
  );

/** The GUIDs of one page of the contract's own size, in order of posting; empty beyond the end. */
export async function readGuids(chain: Chain, page: number): Promise<readonly Guid[]> {
  const [guids] = z.tuple([z.array(Uint)]).parse(await registryCall(chain, "getBountyGuids", [page]));
  return guids.map(uintToGuid);
}

export async function readUint(
  chain: Chain,
  contract: Contract,
  fn: string,
  args: readonly unknown[] = [],
): Promise<bigint> {
  const [value] = z.tuple([Uint]).parse(await chain.call(contract, fn, args));
  return value;
}

export const readCount = async (
  chain: Chain,
  contract: Contract,
  fn: string,
  args: readonly unknown[] = [],
): Promise<number> => Number(await readUint(chain, contract, fn, args));

const registryCall = (chain: Chain, fn: string, args: readonly unknown[]): Promise<readonly unknown[]> =>
  chain.call(chain.contracts.registry, fn, args);

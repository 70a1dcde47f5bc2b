import type { FastifyRequest } from "fastify";
import { utils } from "web3";
import { type Address, isAddress } from "../../../domain/address.ts";
import { Failure, HttpTrouble } from "./envelope.ts";

/** Who asks, and where the transactions built for them should begin to count. */
export interface Caller {
  /** As given, in whatever case. */
  readonly account: Address;
  readonly baseNonce: number | undefined;
}

const queryOf = (request: FastifyRequest): Record<string, string | undefined> =>
  request.query as Record<string, string | undefined>;

/** Checks `chain`. The sandbox has a side chain alone; a request for home fails as it does when home is unreachable. */
export function requireSideChain(request: FastifyRequest): void {
  const chain = queryOf(request).chain ?? "side";
  if (chain === "home") throw new HttpTrouble(500, "Home chain is not reachable");
  if (chain !== "side") throw new Failure(400, "Chain must one of home, side");
}

/** Reads `account`, `chain` and `base_nonce` of an endpoint that uses a chain. */
export function readCaller(request: FastifyRequest): Caller {
  requireSideChain(request);
  const { account, base_nonce: baseNonce } = queryOf(request);
  if (account === undefined || account === "") throw new Failure(400, "Account must be provided");
  if (!isAddress(account)) throw new Failure(400, "Invalid address");
  return { account, baseNonce: baseNonce === undefined ? undefined : readInteger(baseNonce) };
}

/** A query parameter that must be an integer; the gateway turns anything else into an exception. */
export function readInteger(text: string): number {
  if (!/^\s*-?\d+\s*$/.test(text)) throw new HttpTrouble(500, "Internal Server Error");
  return Number(text);
}

/** The EIP-55 form in which the gateway writes every address. */
export const checksummed = (address: string): Address => utils.toChecksumAddress(address) as Address;

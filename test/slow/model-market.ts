import { EventEmitter } from "node:events";
import type { Address } from "../../src/domain/address.ts";
import type { Guid } from "../../src/domain/guid.ts";
import { type Nct, nct, ONE_NCT } from "../../src/domain/nct.ts";
import { Actions } from "../../src/market/onchain/gateway/actions.ts";
import { type BlockNumber, block } from "../../src/market/onchain/port/block.ts";
import type { ContractEvents, Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { Reads } from "../../src/market/onchain/reads/reads.ts";
import { Nonces } from "../../src/market/onchain/transactions/nonces.ts";
import { Transactions } from "../../src/market/onchain/transactions/transactions.ts";
import { createLogger } from "../../src/observe/log.ts";
import type { Signer } from "../../src/wallet/transaction.ts";
import { someParameters } from "../fixtures/bounties.ts";
import type { ModelChain } from "./model-chain.ts";
import type { ModelGateway } from "./model-gateway.ts";
import type { ModelTime } from "./model-time.ts";

export interface ModelMarketParts {
  readonly chain: ModelChain;
  readonly gateway: ModelGateway;
  readonly time: ModelTime;
  readonly account: Address;
  readonly blockMs: number;
  readonly random: () => number;
}

export interface ModelMarket extends Marketplace {
  /** A frame of the event stream. */
  tell<Name extends keyof ContractEvents>(event: Name, ...args: ContractEvents[Name]): void;
}

/** The market client's own parts, put together over a model of a gateway, in model time. */
export function joinModelMarket(parts: ModelMarketParts): ModelMarket {
  const { chain, gateway, time, account, blockMs, random } = parts;
  const log = createLogger({ level: "silent", format: "json", name: "slow" });
  const events = new EventEmitter();
  const parameters = { ...someParameters, revealWindow: chain.revealWindow, voteWindow: chain.voteWindow };
  let head = chain.head;
  const signer: Signer = { address: account, sign: async (...asked) => chain.sign(...asked) };
  const reads = new Reads(gateway, "side", account);
  const transactions = new Transactions({
    gateway,
    signer,
    nonces: new Nonces(reads),
    minedCount: () => reads.minedCount(),
    chain: "side",
    log,
    random,
    patienceMs: 20_000,
    pollMs: 500,
    timers: time,
    blockMs: () => blockMs,
  });
  const refreshFee = async (): Promise<Nct> => parameters.assertionFee;
  const actions = new Actions({ transactions, reads, signer, log, refreshFee, onRefused: () => {} });
  return {
    id: "side",
    account,
    on: (event, listener) => {
      const heard = listener as (...args: unknown[]) => void;
      events.on(event, heard);
      return () => void events.off(event, heard);
    },
    tell(event, ...args) {
      const [facts] = args as readonly [{ readonly number?: BlockNumber }?];
      if (event === "block") head = facts?.number ?? head;
      events.emit(event, ...args);
    },
    open: () => {},
    reached: async () => {},
    start: async () => {},
    connected: () => true,
    inFlight: () => gateway.inFlight(),
    leave: () => {},
    headKnown: () => true,
    head: () => block(head),
    freshHead: (signal) => reads.blockNumber({ signal }),
    parameters: () => parameters,
    parametersKnown: () => true,
    freshParameters: (signal) => reads.parameters({ signal }),
    bounty: (guid, signal) => reads.bounty(guid, signal),
    quorumReached: (guid, signal) => reads.quorumReached(guid, signal),
    bountyPage: async (): Promise<readonly Guid[]> => [],
    bountiesPerPage: 75,
    contracts: async () => ({ chainId: 1337n, registry: account }),
    listArtifacts: async () => [],
    artifactHead: async () => new Uint8Array(),
    assertions: (guid, signal) => reads.asserted.all(guid, { signal }),
    ownAssertions: (guid, { signal, urgency = "read", likely } = {}) =>
      reads.asserted.ours(guid, { signal, lane: urgency, likely }),
    votes: (guid, signal) => reads.votes(guid, signal),
    transactionCount: () => reads.pendingCount(),
    minedCount: () => reads.minedCount(),
    balance: async () => nct(100n * ONE_NCT),
    publishMetadata: (metadata, signal) => reads.publishMetadata(metadata, signal),
    assert: (request, journal, how) => actions.assert(request, journal, how),
    reveal: (request, journal, signal) => actions.reveal(request, journal, signal),
    settle: (guid, journal, signal) => actions.settle(guid, journal, signal),
    lookUp: (hashes, signal) => actions.lookUp(hashes, signal),
    resend: (signed, signal, urgency) => transactions.resend(signed, { signal, lane: urgency }),
    resendAll: (signedFrom, signal) => transactions.resendAll(signedFrom, signal),
    async [Symbol.asyncDispose]() {},
  };
}

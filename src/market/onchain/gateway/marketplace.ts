import assert from "node:assert/strict";
import { abortable } from "../../../async/abortable.ts";
import type { Address } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";
import type { HeadWatch } from "../head/head-watch.ts";
import type { TermsWatch } from "../head/terms-watch.ts";
import type { Gateway } from "../http/http.ts";
import type { BlockNumber } from "../port/block.ts";
import type { ContractEvents, Marketplace } from "../port/marketplace.ts";
import { askContracts } from "../reads/contracts.ts";
import { BOUNTIES_PER_PAGE, type Reads } from "../reads/reads.ts";
import type { EventStream } from "../stream/event-stream.ts";
import type { MarketListeners } from "../stream/listeners.ts";
import type { Transactions } from "../transactions/transactions.ts";
import type { Actions } from "./actions.ts";
import type { Connection } from "./connection.ts";

interface MarketplaceParts {
  readonly chain: ChainName;
  readonly account: Address;
  readonly gateway: Gateway;
  readonly reads: Reads;
  readonly head: HeadWatch;
  readonly terms: TermsWatch;
  readonly transactions: Transactions;
  readonly actions: Actions;
  readonly stream: EventStream;
  readonly listeners: MarketListeners;
  readonly connection: Connection;
}

/** The port, method by method, on the parts that do the work. */
export function marketplaceOf(parts: MarketplaceParts): Marketplace {
  const { gateway, reads, head, terms, transactions, actions, stream, connection } = parts;
  return {
    id: parts.chain,
    account: parts.account,
    on: <Name extends keyof ContractEvents>(event: Name, listener: (...args: ContractEvents[Name]) => void) =>
      parts.listeners.add(event, listener),
    open: () => connection.open(),
    reached: (signal) => abortable(head.reached, signal),
    start: (signal) => connection.start(signal),
    connected: () => stream.open(),
    headKnown: () => head.number() !== undefined,
    inFlight: () => gateway.inFlight(),
    leave: () => gateway.leave(),
    head: () => knownHead(head),
    freshHead: (signal) => head.ask({ signal }),
    parameters: () => terms.parameters(),
    parametersKnown: () => terms.known() && !terms.doubtful(),
    freshParameters: (signal) => terms.ask(signal),
    bounty: (guid, signal) => reads.bounty(guid, signal),
    quorumReached: (guid, signal) => reads.quorumReached(guid, signal),
    bountyPage: (page, signal) => reads.bountyPage(page, signal),
    bountiesPerPage: BOUNTIES_PER_PAGE,
    contracts: (signal) => askContracts({ gateway, reads }, signal),
    listArtifacts: (uri, signal) => reads.listArtifacts(uri, signal),
    artifactHead: (uri, index, bytes, signal) => reads.artifactHead(uri, index, bytes, signal),
    assertions: (guid, signal) => reads.asserted.all(guid, { signal }),
    ownAssertions: (guid, { signal, urgency = "read", likely } = {}) =>
      reads.asserted.ours(guid, { signal, lane: urgency, likely }),
    votes: (guid, signal) => reads.votes(guid, signal),
    transactionCount: () => reads.pendingCount(),
    minedCount: () => reads.minedCount(),
    balance: (signal) => reads.balance(signal),
    publishMetadata: (metadata, signal) => reads.publishMetadata(metadata, signal),
    assert: (request, journal, how) => actions.assert(request, journal, how),
    reveal: (request, journal, signal) => actions.reveal(request, journal, signal),
    settle: (guid, journal, signal) => actions.settle(guid, journal, signal),
    lookUp: (hashes, signal) => actions.lookUp(hashes, signal),
    resend: (signed, signal, urgency) => transactions.resend(signed, { signal, lane: urgency }),
    resendAll: (signedFrom, signal) => transactions.resendAll(signedFrom, signal),
    async [Symbol.asyncDispose]() {
      connection.close();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

function knownHead(head: HeadWatch): BlockNumber {
  const number = head.number();
  assert(number !== undefined, "the marketplace was asked before it was started");
  return number;
}

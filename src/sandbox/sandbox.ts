/**
 * A whole marketplace on this machine: a chain with the contracts, a gateway in front of it, and other players. Time
 * passes in blocks; every new block is told to every player, and what they do may take longer than a block.
 */
import { randomUUID } from "node:crypto";
import type { Address } from "../domain/address.ts";
import { ConfigFault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import { systemClock } from "../domain/instant.ts";
import { nct, ONE_NCT } from "../domain/nct.ts";
import { type Chain, startChain } from "./chain/chain.ts";
import { type ArtifactStore, memoryStore } from "./content/store.ts";
import { refuseBusyPort } from "./gateway/listening.ts";
import { type SandboxGateway, type SandboxGatewayOptions, startGateway } from "./gateway/server.ts";
import { type Ambassador, type AmbassadorOptions, ambassador } from "./players/ambassador.ts";
import { arbiter } from "./players/arbiter.ts";
import { type FollowedBounties, followBounties } from "./players/bounties-on-chain.ts";
import { type Commission, commissioner } from "./players/commission.ts";
import type { Player, Truth } from "./players/player.ts";
import { rival } from "./players/rival.ts";
import { marketTally, type SandboxReport } from "./players/tally.ts";
import { takeTurns } from "./players/turns.ts";
import { readCorpus } from "./samples/corpus.ts";
import { makeSampleFolder } from "./samples/samples.ts";
import type { SandboxOptions } from "./sandbox-options.ts";
import { openWalletDir } from "./wallet-dir.ts";

export interface Sandbox extends AsyncDisposable {
  /** Of the gateway. */
  readonly url: string;
  readonly chain: Chain;
  readonly store: ArtifactStore;
  /** Of the wallet in `walletDir`. */
  readonly account: Address | undefined;
  /** Lets the ambassador begin. */
  open(): void;
  /** Per artifact, `true` is malicious. */
  truthOf(guid: Guid): readonly boolean[] | undefined;
  report(): SandboxReport;
  /** Posts one bounty of the caller's own making. */
  postBounty(commission: Commission): Promise<Guid>;
  /** Posts many, all of them in one block or, when it is full, the next ones. */
  postBounties(commissions: readonly Commission[]): Promise<readonly Guid[]>;
  /**
   * Resolves when all bounties are posted and settled by the ambassador and by every engine that asserted. Arbiters
   * settle later, when the vote window is over. Never resolves when bounties have no end.
   */
  readonly done: Promise<void>;
}

/** What a funded account is given: enough for thousands of bounties at the highest stake. */
export const STARTING_BALANCE = nct(10_000n * ONE_NCT);

const MAX_DURATION_BLOCKS = 100;
const MAX_ARTIFACT_BYTES = 34_603_008;
/** The real gateway's habits, as long as blocks are neither faster nor much slower. */
const EVENT_POLL_MS = 500;
const RECEIPT_POLL_MS = 1000;
const RECEIPT_TIMEOUT_MS = 10_000;

/**
 * Throws ConfigFault for a port that another program has, folders that cannot be used, contracts that do not fit, or a
 * duration out of range.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (options.durationBlocks < 1 || options.durationBlocks > MAX_DURATION_BLOCKS) {
    throw new ConfigFault("DURATION_OUT_OF_RANGE", "A bounty takes assertions for 1 to 100 blocks.");
  }
  // Before anything is written or started.
  await refuseBusyPort(options.host ?? "127.0.0.1", options.port ?? 0);
  await using opened = new AsyncDisposableStack();
  const folder = options.artifactsDir ?? opened.use(await makeSampleFolder()).path;
  const corpus = await readCorpus(folder);
  const account = options.walletDir === undefined ? undefined : await openWalletDir(options.walletDir);

  const { logger: log, blockTimeMs } = options;
  const chain = opened.use(await openChain(options));
  const funded = [...(options.fund ?? []), ...(account === undefined ? [] : [account])];
  await Promise.all(funded.map((address) => chain.fund(address, STARTING_BALANCE)));

  const store = memoryStore();
  const followed = followBounties(chain);
  const orders = commissioner({ chain, followed, store, log });
  const host = openAmbassador(options, { chain, followed, store, corpus });
  const truth: Truth = (guid) => host.truth(guid) ?? orders.truth(guid);
  const tally = marketTally(truth);
  const players = otherPlayers(options, { chain, followed, store, truth });

  const pollMs = Math.min(EVENT_POLL_MS, blockTimeMs / 2);
  const gateway = opened.use(await openGateway(options, { chain, store, pollMs }));

  const turns = opened.use(takeTurns({ chain, log, pollMs, ambassador: host, orders, players, tally }));
  if ((options.opens ?? "at-once") === "at-once") turns.open();
  if (options.opens === "when-heard") void gateway.heard.then(turns.open);

  const lifetime = opened.move();
  return {
    url: gateway.url,
    chain,
    store,
    account,
    open: turns.open,
    truthOf: truth,
    report: tally.report,
    postBounty: orders.post,
    postBounties: orders.postAtOnce,
    done: turns.done,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

function openChain(options: SandboxOptions): Promise<Chain> {
  const { blockTimeMs, revealWindow, voteWindow, arbiters, rivals, contractsDir, logger: log } = options;
  const own = contractsDir === undefined ? {} : { contractsDir };
  return startChain({ blockTimeMs, revealWindow, voteWindow, arbiters, rivals, log, ...own });
}

function openAmbassador(
  options: SandboxOptions,
  parts: Pick<AmbassadorOptions, "chain" | "followed" | "store" | "corpus">,
): Ambassador {
  return ambassador({
    ...parts,
    log: options.logger,
    artifactsPerBounty: options.artifactsPerBounty,
    duration: options.durationBlocks,
    reward: options.rewardNct,
    bountiesPerBlock: options.blockTimeMs / options.bountyIntervalMs,
    ...(options.bounties === undefined ? {} : { bounties: options.bounties }),
    seed: options.seed,
    run: options.run ?? randomUUID(),
  });
}

function openGateway(
  options: SandboxOptions,
  parts: Pick<SandboxGatewayOptions, "chain" | "store" | "pollMs">,
): Promise<SandboxGateway> {
  const { logger: log, blockTimeMs, clock = systemClock } = options;
  return startGateway({
    ...parts,
    log,
    host: options.host,
    port: options.port,
    basePath: options.basePath,
    apiKeys: options.apiKeys,
    startedAtMs: clock.now(),
    receiptPollMs: Math.min(RECEIPT_POLL_MS, blockTimeMs / 2),
    // A receipt needs up to two blocks, however slow they are.
    receiptTimeoutMs: Math.max(RECEIPT_TIMEOUT_MS, 4 * blockTimeMs),
    maxArtifactBytes: options.maxArtifactBytes ?? MAX_ARTIFACT_BYTES,
    asReal: options.asReal,
  });
}

interface Scene {
  readonly chain: Chain;
  readonly followed: FollowedBounties;
  readonly store: ArtifactStore;
  readonly truth: Truth;
}

function otherPlayers(options: SandboxOptions, scene: Scene): Player[] {
  const { logger: log, rivalAccuracy: accuracy, rivalStakeNct: stake, seed } = options;
  const { arbiters, rivals } = scene.chain.accounts;
  return [
    ...arbiters.map((account) => arbiter({ ...scene, account, log })),
    ...rivals.map((account) => rival({ ...scene, account, accuracy, stake, seed, log })),
  ];
}

import type { FastifyInstance } from "fastify";
import type { Logger } from "../../observe/log.ts";
import type { Chain } from "../chain/chain.ts";
import type { ArtifactStore } from "../content/store.ts";
import { bodyLimit, createApp, withoutSlashes } from "./app.ts";
import { listenFault } from "./listening.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { assertionRoutes } from "./routes/assertions.ts";
import { balanceRoutes } from "./routes/balances.ts";
import { bountyRoutes } from "./routes/bounties.ts";
import { serveEvents } from "./routes/event-stream.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { nonceRoutes } from "./routes/nonces.ts";
import { parameterRoutes } from "./routes/parameters.ts";
import { receiptRoutes } from "./routes/receipts.ts";
import { stakingRoutes } from "./routes/staking.ts";
import { statusRoutes } from "./routes/status.ts";
import { transactionRoutes } from "./routes/transactions.ts";
import { voteRoutes } from "./routes/votes.ts";
import { inChunks, type RealHabits } from "./shared/as-real.ts";
import { requireKeys } from "./shared/authorization.ts";
import type { GatewayContext } from "./shared/context.ts";

export interface SandboxGatewayOptions {
  readonly chain: Chain;
  readonly store: ArtifactStore;
  readonly log: Logger;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** A path prefix under which the gateway also answers, such as `/v1/default`. */
  readonly basePath?: string | undefined;
  /** Keys that are accepted; without them every caller is. */
  readonly apiKeys?: readonly string[] | undefined;
  /** How often the chain is polled for events. Default 500 ms, the real gateway's habit. */
  readonly pollMs?: number;
  /** How often a receipt is asked for. Default 1 s. */
  readonly receiptPollMs?: number;
  /** Default 10 s, the real gateway's patience on a side chain. */
  readonly receiptTimeoutMs?: number;
  /** Unix ms that `connected` tells. Default now. */
  readonly startedAtMs?: number;
  /** The largest artifact. Default 10 MiB, what a caller without a key is allowed. */
  readonly maxArtifactBytes?: number;
  /** The real gateway's slowness and quirks. Default: none. */
  readonly asReal?: RealHabits | undefined;
}

export interface SandboxGateway extends AsyncDisposable {
  /** Base URL, with the base path. */
  readonly url: string;
  /** Resolves when the first client listens to the side chain's events. */
  readonly heard: Promise<void>;
}

/**
 * A polyswarmd in front of one side chain: builds unsigned transactions, relays signed ones, waits for receipts,
 * decodes events, stores artifacts and streams what happens. It never holds a user's key. Throws ConfigFault when it
 * cannot listen where it is told to.
 */
export async function startGateway(options: SandboxGatewayOptions): Promise<SandboxGateway> {
  const closing = new AbortController();
  const gateway: GatewayContext = {
    chain: options.chain,
    store: options.asReal === undefined ? options.store : inChunks(options.store, options.asReal.chunkBytes),
    asReal: options.asReal,
    log: options.log,
    closing: closing.signal,
    maxArtifactBytes: options.asReal?.maxArtifactBytes ?? options.maxArtifactBytes ?? 10_485_760,
    receiptPollMs: options.receiptPollMs ?? 1000,
    receiptTimeoutMs: options.receiptTimeoutMs ?? 10_000,
    apiKeys: options.apiKeys === undefined ? undefined : new Set(options.apiKeys),
  };
  const basePath = (options.basePath ?? "").replace(/\/+$/, "");
  const withoutBase = (url: string): string =>
    basePath !== "" && url.startsWith(`${basePath}/`) ? url.slice(basePath.length) : url;

  const app = createApp(gateway, withoutBase);
  if (gateway.apiKeys !== undefined) {
    const pathOf = (url: string): string => withoutBase(url).split("?")[0]!;
    requireKeys(app, gateway.apiKeys, { pathOf, maxBodyBytes: bodyLimit(gateway) });
  }
  await addRoutes(app, gateway);
  const origin = await listen(app, options.host ?? "127.0.0.1", options.port ?? 0);
  const heard = serveEvents(app.server, gateway, {
    pollMs: options.pollMs ?? 500,
    startedAtMs: options.startedAtMs ?? Date.now(),
    pathOf: (url) => withoutSlashes(withoutBase(url)).split("?")[0]!,
  });
  return {
    url: `${origin}${basePath}`,
    heard,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await app.close();
    },
  };
}

/** Resolves with the origin. Throws ConfigFault when the address cannot be had. */
async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    throw listenFault(host, port, cause);
  }
}

async function addRoutes(app: FastifyInstance, gateway: GatewayContext): Promise<void> {
  parameterRoutes(app, gateway);
  metadataRoutes(app, gateway);
  bountyRoutes(app, gateway);
  assertionRoutes(app, gateway);
  voteRoutes(app, gateway);
  await artifactRoutes(app, gateway);
  nonceRoutes(app, gateway);
  transactionRoutes(app, gateway);
  receiptRoutes(app, gateway);
  balanceRoutes(app, gateway);
  stakingRoutes(app, gateway);
  statusRoutes(app, gateway);
}

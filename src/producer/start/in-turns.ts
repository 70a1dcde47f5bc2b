/**
 * What a start loads, piece by piece. `import()` reads, compiles and runs all that a module reaches at one go, during which
 * no block is heard and no reveal sent; so what is large comes first, by itself, with a turn of the event loop behind it.
 * A piece that is left out here, or loaded already, costs nothing but its place in the turn of what needs it.
 */
import { setImmediate as turn } from "node:timers/promises";
import { MARKET_PIECES } from "../process/markets.ts";

type Piece = () => Promise<unknown>;

/** Loads one after the other; whatever else waits has its turn before and after each. */
export async function loadInTurns(pieces: readonly Piece[]): Promise<void> {
  await turn();
  for (const load of pieces) {
    await load();
    await turn();
  }
}

/** For opening the key. */
export const KEY: readonly Piece[] = [
  () => import("web3-utils"),
  () => import("web3-eth-accounts"),
  () => import("../../wallet/keystore.ts"),
];

/** For keeping what was promised, beside the key. */
export const PROMISES: readonly Piece[] = [
  ...MARKET_PIECES,
  () => import("../duties/duties.ts"),
  () => import("./market-promises.ts"),
];

/** For the lease. */
export const LEASE: readonly Piece[] = [() => import("ioredis"), () => import("../../redis/wallet-lease.ts")];

/** For being seen from outside. */
export const OBSERVED: readonly Piece[] = [
  () => import("prom-client"),
  () => import("fastify"),
  () => import("./observed.ts"),
];

/** For what the operator chose to answer with. */
export const PREPARED: readonly Piece[] = [
  () => import("../../triage/detect.ts"),
  () => import("../process/backends.ts"),
  () => import("../../distill/load.ts"),
  () => import("./prepare.ts"),
];

/** For answering. */
export const ANSWERING: readonly Piece[] = [
  () => import("ioredis"),
  () => import("bullmq"),
  () => import("../../queue/bullmq/producer.ts"),
  () => import("../../queue/embedded/producer.ts"),
  () => import("../recover/rescan.ts"),
  () => import("./market-engine.ts"),
  () => import("./open-answering.ts"),
];

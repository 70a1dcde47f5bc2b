/**
 * One producer per wallet, over all machines that share a Redis: the producer of an account holds a key named after it,
 * which lapses unless it is renewed.
 *
 *     waiting ──it is free─────► held ◄──────────► adrift   Redis is out of reach; the producer goes on without it,
 *        │                        │ ▲    back,       │      because what it owes the market matters more
 *     a living one has it         │ │   still ours,  │
 *        ▼                        │ │    or free     │
 *     refused                     │ │                │
 *                    another has it │ it is free     │ back, another has it
 *                                 ▼ │                │
 *                                 lost ◄─────────────┘      the producer promises nothing new, and keeps what it promised
 *
 *     any ──an orderly stop──► released
 *
 * - Waiting lasts as long as a lease lives: one that a crash left behind is gone by then, a living one was renewed.
 *   A start in the data directory where the holder crashed need not wait: its lock says that the holder is gone.
 * - What is no lease names no holder (lease-holder.ts) and is written over.
 * - A Redis that was restarted empty has forgotten the lease: the next renewal sets it again.
 * - To be adrift for longer than a lease lives lets another producer in. Both then work until this one reaches Redis
 *   again; each goes by the chain before it signs, so what that can cost is a reverted transaction.
 *
 * The key is bound to the account and not to the name of the queue: two queues for one wallet are the same mistake.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { settledWithin } from "../async/within.ts";
import type { Address } from "../domain/address.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Clock } from "../domain/instant.ts";
import type { Logger } from "../observe/log.ts";
import { describeRedisAddress, type RedisAddress } from "./address.ts";
import { connectRedis, isUsable, type RedisClient } from "./connection.ts";
import { holderIn, type LeaseHolder } from "./lease-holder.ts";
import { createSeal, type Seal } from "./seal.ts";

export const LEASE_MS = 6_000;
/** A renewal may fail twice in a row before the lease lapses. */
const RENEW_MS = 2_000;
const ASK_AGAIN_MS = 250;
const RELEASE_WITHIN_MS = 1_000;

export interface WalletLeaseOptions {
  readonly address: RedisAddress;
  readonly account: Address;
  /** Where we work, as the lock of the data directory names it: no two processes are there at the same time. */
  readonly place: string;
  /** For how long to try to reach Redis at the start. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** Of the queue. Default: none. */
  readonly seal?: Seal;
}

export interface WalletLease extends AsyncDisposable {
  /** Resolves when another producer turns out to hold it, the first time. */
  readonly lost: Promise<ConfigFault>;
  /** Why it is not ours at the moment; undefined while it is, or Redis cannot say. */
  loss(): ConfigFault | undefined;
  /** The one listener is called when it is lost, and when it is ours again, until the returned function is called. */
  onChange(listener: (loss: ConfigFault | undefined) => void): () => void;
}

/**
 * Takes the account's lease on a connection of its own, which outlives the queue's: it is given back last.
 * Throws ConfigFault WALLET_HELD or LEASE_REFUSED, what `connectRedis` throws, and `signal.reason` when that aborts first.
 */
export async function takeWalletLease(options: WalletLeaseOptions): Promise<WalletLease> {
  const redis = await connectRedis(options.address, options);
  const lease = new RedisLease(redis, options);
  try {
    await lease.take();
  } catch (error) {
    redis.disconnect();
    options.signal?.throwIfAborted();
    throw error instanceof ConfigFault ? error : refused(options.address, error);
  }
  return lease;
}

/**
 * Takes or prolongs the lease. KEYS: its key. ARGV: our value as it stands there, how long a lease lives, our value from now
 * on, and a value that names no holder. Returns nothing when the lease is ours under the new value, 1 under the old one, or else
 * the value found, whether it lapses, and the seconds of Redis's clock.
 */
const TAKE = `
  local kind = redis.call("TYPE", KEYS[1]).ok
  if kind ~= "none" and (kind ~= "string" or redis.call("STRLEN", KEYS[1]) > 8192) then
    redis.call("DEL", KEYS[1]) -- no lease was ever like that
  end
  local found = redis.call("GET", KEYS[1])
  if not found or (found ~= ARGV[1] and found == ARGV[4]) then
    redis.call("SET", KEYS[1], ARGV[3], "PX", ARGV[2])
  elseif found == ARGV[1] then
    redis.call("PEXPIRE", KEYS[1], ARGV[2]) -- unlike SET, a Redis that is full still does this
    if ARGV[1] ~= ARGV[3] then
      local done = redis.pcall("SET", KEYS[1], ARGV[3], "PX", ARGV[2])
      if done.err then return 1 end
    end
  else
    return { found, redis.call("PTTL", KEYS[1]) >= 0 and 1 or 0, redis.call("TIME")[1] }
  end
  return false`;

const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`;

const CLOCK = `return redis.call("TIME")[1]`;

class RedisLease implements WalletLease {
  readonly lost: Promise<ConfigFault>;
  readonly #lose: (fault: ConfigFault) => void;
  readonly #redis: RedisClient;
  readonly #options: WalletLeaseOptions;
  readonly #seal: Seal;
  readonly #key: string;
  readonly #holder: LeaseHolder & { readonly id: string };
  readonly #onReady = (): void => void this.#renew();
  /** As it stands in Redis. Ours alone: a process number and a host name may come again. */
  #value: string;
  #listener: (loss: ConfigFault | undefined) => void = () => undefined;
  #loss: ConfigFault | undefined;
  #renewals: NodeJS.Timeout | undefined;
  #renewing = false;
  #adrift = false;
  #overwritten = false;

  constructor(redis: RedisClient, options: WalletLeaseOptions) {
    const { promise, resolve } = Promise.withResolvers<ConfigFault>();
    this.lost = promise;
    this.#lose = resolve;
    this.#redis = redis;
    this.#options = options;
    this.#seal = options.seal ?? createSeal(undefined);
    this.#key = `microengine:wallet:${options.account.toLowerCase()}`;
    const since = new Date(options.clock.now()).toISOString();
    this.#holder = {
      process: process.pid,
      host: hostname(),
      since,
      place: options.place,
      id: randomUUID(),
    };
    this.#value = JSON.stringify(this.#holder);
  }

  loss(): ConfigFault | undefined {
    return this.#loss;
  }

  onChange(listener: (loss: ConfigFault | undefined) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = () => undefined;
    };
  }

  async take(): Promise<void> {
    const { log, account, signal } = this.#options;
    const giveUpAt = performance.now() + LEASE_MS + ASK_AGAIN_MS;
    for (let told = false; ; told = true) {
      const other = await this.#ask();
      if (other === undefined) break;
      if (performance.now() >= giveUpAt) throw held(account, other);
      if (!told) {
        const { process: pid, host, since } = other;
        log.warn({ account, process: pid, host, since, forMs: LEASE_MS }, "lease.waiting");
      }
      await sleep(ASK_AGAIN_MS, undefined, { signal });
    }
    log.debug({ account }, "lease.held");
    this.#renewals = setInterval(() => void this.#renew(), RENEW_MS);
    this.#redis.on("ready", this.#onReady);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#renewals);
    this.#redis.off("ready", this.#onReady);
    // When Redis is away the lease lapses by itself.
    await settledWithin(RELEASE_WITHIN_MS, this.#redis.eval(RELEASE, 1, this.#key, this.#value));
    this.#redis.disconnect();
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { log, account } = this.#options;
    try {
      const other = await this.#ask();
      this.#settle(other);
      if (other === undefined && this.#adrift) log.info({ account }, "lease.back");
      this.#adrift = false;
    } catch (error) {
      const why = isUsable(this.#redis) ? describeError(error) : "Redis is out of reach.";
      if (!this.#adrift) log.warn({ account, why }, "lease.adrift");
      this.#adrift = true;
    } finally {
      this.#renewing = false;
    }
  }

  #settle(other: LeaseHolder | undefined): void {
    const before = this.#loss;
    this.#loss = other === undefined ? undefined : held(this.#options.account, other);
    if (this.#loss !== undefined) this.#lose(this.#loss);
    if ((before === undefined) !== (this.#loss === undefined)) this.#listener(this.#loss);
  }

  /** The other producer that has it; undefined when there is none, and it is ours. */
  async #ask(): Promise<LeaseHolder | undefined> {
    const { place, log, account } = this.#options;
    const next = await this.#nextValue();
    let unowned = "";
    for (;;) {
      const found = await this.#redis.eval(TAKE, 1, this.#key, this.#value, LEASE_MS, next, unowned);
      if (found === null) {
        this.#value = next;
        return undefined;
      }
      if (!Array.isArray(found)) return undefined;
      const [value, lapses, seconds] = found.map(String) as [string, string, string];
      const lease = { value, lapses: lapses === "1", nowMs: Number(seconds) * 1_000 };
      const holder = holderIn(lease, this.#key, this.#seal);
      if (holder !== undefined && holder.place !== place) return holder;
      // Written anew in between, it is left to the next renewal.
      if (unowned !== "" && holder === undefined) {
        throw refused(this.#options.address, "something keeps writing over the lease");
      }
      unowned = value;
      if (holder === undefined && !this.#overwritten) {
        this.#overwritten = true;
        log.warn({ account, hint: OVERWRITTEN_HINT }, "lease.overwritten");
      }
    }
  }

  /** Sealed, it says when it ends. */
  async #nextValue(): Promise<string> {
    if (!this.#seal.secret) return this.#value;
    // Of the node that has the key, where there are several.
    const seconds = await this.#redis.eval(CLOCK, 1, this.#key);
    const until = (Number(seconds) + 1) * 1_000 + LEASE_MS;
    return JSON.stringify(this.#seal.close("lease", this.#key, { ...this.#holder, until }));
  }
}

const OVERWRITTEN_HINT =
  "What stood under the wallet's key was no lease, or not sealed with our QUEUE_SECRET, and was written over: another program writes to this Redis, or another producer has another secret.";

const held = (account: Address, { process: pid, host, since }: LeaseHolder): ConfigFault =>
  new ConfigFault(
    "WALLET_HELD",
    `Another producer works with the wallet ${account}: process ${pid} on ${host}, since ${since}.`,
    { hint: "One wallet, one producer: stop that one, or give this one another --keyfile." },
  );

const refused = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault(
    "LEASE_REFUSED",
    `Redis at ${describeRedisAddress(address)} does not keep the wallet's lease: ${describeError(cause)}.`,
    { hint: "It must be a primary with memory left, and its user allowed to EVAL on microengine:*.", cause },
  );

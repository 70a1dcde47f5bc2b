/**
 * One producer per wallet, over all machines that share a Redis: whoever works with an account holds a key named after
 * it, which lapses unless it is renewed.
 *
 *     waiting ──nobody has it──► held ◄──────────► adrift   Redis is out of reach; the producer goes on without it,
 *        │                        │ │    back,       │      because what it owes the market matters more
 *     a living one has it         │ │   still ours,  │
 *        ▼                        │ │    or nobody's │
 *     refused                     │ └──── back, another has it ──► lost: the producer must end
 *                            released, on an orderly stop
 *
 * - Waiting lasts as long as a lease lives: one that a crash left behind is gone by then, a living one was renewed.
 *   Whoever starts in the data directory where the holder crashed need not wait: its lock says that the holder is gone.
 * - A Redis that was restarted empty has forgotten the lease: the next renewal sets it again.
 * - To be adrift for longer than a lease lives lets another producer in. Both then work until this one reaches Redis
 *   again; each goes by the chain before it signs, so what that can cost is a reverted transaction.
 *
 * The key is bound to the account and not to the name of the queue: two queues for one wallet are the same mistake.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Address } from "../domain/address.ts";
import type { Clock } from "../domain/chain.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import { connectRedis, isUsable } from "./redis.ts";
import { describeRedisAddress, type RedisAddress } from "./redis-address.ts";
import { settledWithin } from "./within.ts";

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
}

/** Whoever holds a lease, for people. */
const Holder = z.object({ process: z.number(), host: z.string().max(255), since: z.string().max(64) });
export type LeaseHolder = z.infer<typeof Holder>;

export interface WalletLease extends AsyncDisposable {
  /** Resolves when another producer turns out to hold it. */
  readonly lost: Promise<ConfigFault>;
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

/** Takes or prolongs the lease; returns the value of whoever else has it, or nothing. What died where we are left it to us. */
const TAKE = `
  local function inOurPlace(value)
    local read, holder = pcall(cjson.decode, value)
    return read and type(holder) == "table" and holder.place == ARGV[3]
  end
  local found = redis.call("GET", KEYS[1])
  if not found or (found ~= ARGV[1] and inOurPlace(found)) then
    redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
  elseif found == ARGV[1] then
    redis.call("PEXPIRE", KEYS[1], ARGV[2]) -- unlike SET, a Redis that is full still does this
  else
    return found
  end
  return false`;

const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`;

class RedisLease implements WalletLease {
  readonly lost: Promise<ConfigFault>;
  readonly #lose: (fault: ConfigFault) => void;
  readonly #redis: Redis;
  readonly #options: WalletLeaseOptions;
  readonly #key: string;
  /** Ours alone: a process number and a host name may come again. */
  readonly #value: string;
  readonly #onReady = (): void => void this.#renew();
  #renewals: NodeJS.Timeout | undefined;
  #renewing = false;
  #adrift = false;

  constructor(redis: Redis, options: WalletLeaseOptions) {
    const { promise, resolve } = Promise.withResolvers<ConfigFault>();
    this.lost = promise;
    this.#lose = resolve;
    this.#redis = redis;
    this.#options = options;
    this.#key = `microengine:wallet:${options.account.toLowerCase()}`;
    const since = new Date(options.clock.now()).toISOString();
    const holder: LeaseHolder = { process: process.pid, host: hostname(), since };
    this.#value = JSON.stringify({ ...holder, place: options.place, id: randomUUID() });
  }

  async take(): Promise<void> {
    const { log, account, signal } = this.#options;
    const giveUpAt = performance.now() + LEASE_MS + ASK_AGAIN_MS;
    for (let told = false; ; told = true) {
      const other = await this.#ask();
      if (other === undefined) break;
      if (performance.now() >= giveUpAt) throw held(account, other);
      if (!told) log.warn({ account, ...other, forMs: LEASE_MS }, "lease.waiting");
      await sleep(ASK_AGAIN_MS, undefined, { signal });
    }
    log.debug({ account }, "lease.held");
    this.#renewals = setInterval(() => void this.#renew(), RENEW_MS);
    this.#redis.on("ready", this.#onReady);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
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
      if (other !== undefined) {
        this.#end();
        this.#lose(held(account, other));
      } else if (this.#adrift) {
        this.#adrift = false;
        log.info({ account }, "lease.back");
      }
    } catch (error) {
      const why = isUsable(this.#redis) ? describeError(error) : "Redis is out of reach.";
      if (!this.#adrift) log.warn({ account, why }, "lease.adrift");
      this.#adrift = true;
    } finally {
      this.#renewing = false;
    }
  }

  #end(): void {
    clearInterval(this.#renewals);
    this.#redis.off("ready", this.#onReady);
  }

  /** Whoever else has it; nobody, and it is ours. */
  async #ask(): Promise<LeaseHolder | undefined> {
    const found = await this.#redis.eval(TAKE, 1, this.#key, this.#value, LEASE_MS, this.#options.place);
    return found === null ? undefined : readHolder(String(found));
  }
}

function readHolder(value: string): LeaseHolder {
  try {
    return Holder.parse(JSON.parse(value));
  } catch {
    return { process: 0, host: "an unknown host", since: "an unknown time" };
  }
}

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

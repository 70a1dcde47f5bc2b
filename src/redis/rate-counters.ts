import { z } from "zod";
import { settledWithin } from "../async/within.ts";
import { describeError } from "../domain/fault.ts";
import {
  type RateAnswer,
  type RateCounter,
  type RateLimits,
  WINDOW_NAMES,
  WINDOWS,
} from "../domain/rate-limit.ts";
import { isUsable, type RedisClient } from "./connection.ts";

/**
 * One hash a name: `second:at` is the number of the window, `second:uses` how often it was used, and so on. Redis runs
 * a script alone, and by its own clock, so that consumers whose clocks differ agree on the window.
 */
const SCRIPT = `
  local now = tonumber(redis.call("TIME")[1])
  local at, uses = {}, {}
  for i = 1, #ARGV - 1, 3 do
    local window, seconds, most = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    at[window] = math.floor(now / seconds)
    local known = redis.call("HMGET", KEYS[1], window .. ":at", window .. ":uses")
    uses[window] = tonumber(known[1] or -1) == at[window] and tonumber(known[2] or 0) or 0
    if most >= 0 and uses[window] >= most then
      return { window, (at[window] + 1) * seconds - now }
    end
  end
  if ARGV[#ARGV] == "take" then
    for window, number in pairs(at) do
      redis.call("HSET", KEYS[1], window .. ":at", number, window .. ":uses", uses[window] + 1)
    end
    redis.call("EXPIRE", KEYS[1], 172800)
  end
  return {}
`;

const Refused = z.tuple([z.enum(["second", "minute", "hour", "day"]), z.number()]);

/** A consumer whose Redis says nothing for so long does not scan on: the limit may be money. */
const ANSWER_WITHIN_MS = 2_000;

/** Counts in Redis, for everybody who uses the same `prefix`. */
export class RedisRateCounter implements RateCounter {
  readonly #redis: RedisClient;
  readonly #prefix: string;

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async use(name: string, limits: RateLimits, how: "take" | "peek"): Promise<RateAnswer> {
    if (!isUsable(this.#redis)) return { kind: "unknown", why: "Redis is out of reach" };
    const windows = WINDOW_NAMES.flatMap((window) => [window, WINDOWS[window], limits[window] ?? -1]);
    // No ":" behind the braces: that is where BullMQ's keys are.
    const asked = this.#redis.eval(SCRIPT, 1, `${this.#prefix}/rate/${name}`, ...windows, how);
    try {
      if (!(await settledWithin(ANSWER_WITHIN_MS, asked))) return { kind: "unknown", why: "Redis is silent" };
      const reply = await asked;
      if (Array.isArray(reply) && reply.length === 0) return { kind: "granted" };
      const [window, opensInS] = Refused.parse(reply);
      return { kind: "refused", window, opensInS };
    } catch (error) {
      return { kind: "unknown", why: describeError(error) };
    }
  }
}

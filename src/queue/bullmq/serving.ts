/**
 * Which backends have a consumer, as Redis knows it: each consumer sets a key for each of its backends that lapses unless
 * it is set again. The scripts behind it are at the same time the check that Redis takes our commands (command-check.ts).
 *
 *     {queue}/serving/<backend>   name of the consumer that set it last; lapses
 *     {queue}/check               by consumers, so that one without a backend in order writes as well; lapses
 *     {queue}/check/<id>          by one producer: a word that is new each time, so that it sees when Redis forgot the last
 *     {queue}/check-of-kinds      what the check writes and takes away again: a hash, a list, a sorted set, a stream, as jobs are
 *     {queue}/check-of-waiting    is never there: a consumer waits for it for a moment, as for its next job
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { RedisClient } from "../../redis/client.ts";

/** Three checks. A consumer that was stopped counts as there for so long. */
const SERVING_MS = 6_000;
/** Longer than a failover takes, so that a word that is gone was lost, not lapsed. */
const WORD_MS = 60_000;

/** What jobs and answers are kept with; the user may be allowed some of it alone. The last key is for that. */
const TRY_KINDS = `
  local key, refused = KEYS[#KEYS], nil
  local function try(command)
    if refused then return end
    local name = table.remove(command, 1)
    local reply = redis.pcall(name, key, unpack(command))
    if type(reply) == "table" and reply.err then refused = { err = reply.err .. " (" .. name .. ")" } end
  end
  for _, write in ipairs({
    { "HSET", "a", "1" }, { "RPUSH", "1" }, { "ZADD", 1, "a" }, { "XADD", "*", "a", "1" }, { "INCR" }
  }) do
    try(write)
    try({ "PEXPIRE", 1000 })
    try({ "DEL" })
  end
  if refused then return refused end`;

const ANNOUNCE = `${TRY_KINDS}
  for i = 1, #KEYS - 1 do redis.call("SET", KEYS[i], ARGV[1], "PX", ARGV[2]) end
  return #KEYS - 1`;

const LOOK = `${TRY_KINDS}
  local before = redis.call("GET", KEYS[1])
  redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
  local served = {}
  for i = 2, #KEYS - 1 do served[i - 1] = redis.call("EXISTS", KEYS[i]) end
  return { before or "", served }`;

const LookReply = z.tuple([z.string(), z.array(z.coerce.number())]);

// No ":" behind the braces of the prefix: that is where BullMQ's keys are.
const kindsKey = (prefix: string): string => `${prefix}/check-of-kinds`;
const waitingKey = (prefix: string): string => `${prefix}/check-of-waiting`;
/** Seconds. */
const WAIT = 0.01;
const servingKey = (prefix: string, backend: string): string => `${prefix}/serving/${backend}`;

/** Says for a consumer that it takes jobs of these backends. Rejects when Redis refuses what its work needs. */
export async function announce(
  redis: RedisClient,
  prefix: string,
  { consumer, backends }: { readonly consumer: string; readonly backends: readonly string[] },
): Promise<void> {
  const own = [`${prefix}/check`, ...backends.map((backend) => servingKey(prefix, backend))];
  const keys = [...own, kindsKey(prefix)];
  await redis.bzpopmin(waitingKey(prefix), WAIT);
  await redis.eval(ANNOUNCE, keys.length, [...keys, consumer, SERVING_MS].map(String));
}

export interface Served {
  /** Those of the backends asked for that have a consumer. */
  readonly served: ReadonlySet<string>;
  /** The word of the last askServed; empty when Redis does not know it. */
  readonly before: string;
}

/** What a producer sees. `id` is its own, `word` new each time. */
export async function askServed(
  redis: RedisClient,
  prefix: string,
  {
    id,
    word,
    backends,
  }: { readonly id: string; readonly word: string; readonly backends: readonly string[] },
): Promise<Served> {
  const own = [`${prefix}/check/${id}`, ...backends.map((backend) => servingKey(prefix, backend))];
  const keys = [...own, kindsKey(prefix)];
  const reply = await redis.eval(LOOK, keys.length, [...keys, word, WORD_MS].map(String));
  const [before, found] = LookReply.parse(reply);
  return { before, served: new Set(backends.filter((_, at) => found[at] === 1)) };
}

/** A word of a check that failed may have been left all the same. */
const WORDS_KEPT = 8;

/** The words that one producer left. */
export class LeftWords {
  #possible: readonly string[] = [];

  next(): string {
    const word = randomUUID();
    this.#possible = [...this.#possible.slice(-WORDS_KEPT), word];
    return word;
  }

  /** Redis took `word` and had `before`: whether that is what it should have had. */
  taken(word: string, before: string): boolean {
    const earlier = this.#possible.filter((known) => known !== word);
    this.#possible = [word];
    return earlier.length === 0 || earlier.includes(before);
  }
}

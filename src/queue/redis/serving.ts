/**
 * Which backends have a consumer, as Redis knows it: each consumer sets a key for each of its backends that lapses unless
 * it is set again. The scripts behind it are at the same time the check that Redis takes our commands (command-check.ts).
 *
 *     {queue}/serving/<backend>   name of the consumer that set it last; lapses
 *     {queue}/check               by consumers, so that one without a backend in order writes as well; lapses
 *     {queue}/check/<id>          by one producer: a word that is new each time, so that it sees when Redis forgot the last
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { RedisClient } from "./client.ts";

/** Three checks. A consumer that was stopped counts as there for so long. */
export const SERVING_MS = 6_000;
/** Longer than a failover takes, so that a word that is gone was lost, not lapsed. */
const WORD_MS = 60_000;

const ANNOUNCE = `
  for i = 1, #KEYS do redis.call("SET", KEYS[i], ARGV[1], "PX", ARGV[2]) end
  return #KEYS`;

const LOOK = `
  local before = redis.call("GET", KEYS[1])
  redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
  local served = {}
  for i = 2, #KEYS do served[i - 1] = redis.call("EXISTS", KEYS[i]) end
  return { before or "", served }`;

const LookReply = z.tuple([z.string(), z.array(z.coerce.number())]);

// No ":" behind the braces of the prefix: that is where BullMQ's keys are.
const servingKey = (prefix: string, backend: string): string => `${prefix}/serving/${backend}`;

/** Says for a consumer that it takes jobs of these backends. */
export async function announce(
  redis: RedisClient,
  prefix: string,
  { consumer, backends }: { readonly consumer: string; readonly backends: readonly string[] },
): Promise<void> {
  const keys = [`${prefix}/check`, ...backends.map((backend) => servingKey(prefix, backend))];
  await redis.eval(ANNOUNCE, keys.length, [...keys, consumer, SERVING_MS].map(String));
}

export interface Look {
  /** Those of the backends asked for that have a consumer. */
  readonly served: ReadonlySet<string>;
  /** The word of the last look; empty when Redis does not know it. */
  readonly before: string;
}

/** What a producer sees. `id` is its own, `word` new each time. */
export async function look(
  redis: RedisClient,
  prefix: string,
  {
    id,
    word,
    backends,
  }: { readonly id: string; readonly word: string; readonly backends: readonly string[] },
): Promise<Look> {
  const keys = [`${prefix}/check/${id}`, ...backends.map((backend) => servingKey(prefix, backend))];
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

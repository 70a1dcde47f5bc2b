/** QUEUE_SECRET of what is sealed in the fixtures. */
export const SECRET = "the secret of an earlier version";

/** A key of Redis: fields and values of a hash, members and scores of a sorted set, entries of a stream as they are. */
export type RedisKey =
  | { readonly key: string; readonly type: "string"; readonly value: string }
  | {
      readonly key: string;
      readonly type: "hash" | "list" | "set" | "zset";
      readonly value: readonly string[];
    }
  | { readonly key: string; readonly type: "stream"; readonly value: readonly [string, readonly string[]][] };

/** A queue as an earlier version wrote it: two jobs that were answered, the second without an opinion, and one that waits. */
export interface WrittenQueue {
  /** Their ids. */
  readonly jobs: readonly string[];
  readonly redis: readonly RedisKey[];
  /** The same under `SECRET`. */
  readonly sealed: readonly RedisKey[];
  /** Messages between a producer and a consumer that it started, about the first two. */
  readonly pipe: { readonly toConsumer: readonly unknown[]; readonly toProducer: readonly unknown[] };
}

/** RATE_LIMIT: how many artifacts a day the producers of a queue have scanned. */
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { systemClock } from "../../domain/instant.ts";
import { describeRefusal, MemoryRateCounter, type RateCounter } from "../../domain/rate-limit.ts";
import type { Logger } from "../../observe/log.ts";
import { bullmqPrefix } from "../../queue/bullmq/names.ts";
import { parseRedisAddress } from "../../redis/address.ts";
import { connectRedis } from "../../redis/connection.ts";
import { RedisRateCounter } from "../../redis/rate-counters.ts";

export interface ArtifactRate extends AsyncDisposable {
  /** Counts one more artifact, or says in a line why it must be left alone. Never rejects. */
  take(): Promise<string | undefined>;
}

/** Without a limit, nothing is counted and no connection opened. Throws what `connectRedis` throws. */
export async function openArtifactRate(
  config: Pick<ProducerConfig, "rateLimit" | "embedded" | "redisAddr" | "queue" | "wait">,
  io: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<ArtifactRate> {
  if (config.rateLimit === undefined) {
    return { take: async () => undefined, async [Symbol.asyncDispose]() {} };
  }
  const limits = { day: config.rateLimit };
  const taking = (counter: RateCounter, close: () => void): ArtifactRate => ({
    take: async () => describeRefusal(await counter.use("artifacts", limits, "take"), limits),
    async [Symbol.asyncDispose]() {
      close();
    },
  });
  if (config.embedded > 0) return taking(new MemoryRateCounter(systemClock), () => {});
  const prefix = bullmqPrefix(config.queue);
  const redis = await connectRedis(parseRedisAddress(config.redisAddr), {
    waitMs: config.wait * 1_000,
    ...io,
  });
  return taking(new RedisRateCounter(redis, prefix), () => redis.disconnect());
}

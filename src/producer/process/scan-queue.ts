import type { ChildProcess } from "node:child_process";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import type { ProcessIo } from "../../observe/process-io.ts";
import { openBullmqQueue } from "../../queue/bullmq/producer.ts";
import { openEmbeddedQueue } from "../../queue/embedded/producer.ts";
import type { ScanQueue } from "../../queue/port.ts";
import { parseRedisAddress } from "../../redis/address.ts";
import type { Seal } from "../../redis/seal.ts";
import { type EmbeddedConfig, spawnEmbeddedConsumer } from "./embedded-consumer.ts";

interface ScanQueueParts {
  readonly config: Pick<ProducerConfig, "embedded" | "redisAddr" | "queue"> & EmbeddedConfig;
  readonly io: ProcessIo;
  readonly backends: readonly string[];
  /** For how long a Redis is tried that does not answer. */
  readonly waitMs: number;
  /** What seals jobs where they travel over Redis. */
  readonly seal: () => Seal | Promise<Seal>;
  /** Hears of each consumer that is started here. */
  readonly onSpawned?: (consumer: ChildProcess) => void;
  /** An answer was dropped because its seal does not hold. */
  readonly onForged?: () => void;
}

/** The queue that the operator chose: consumers of our own, or those that a Redis knows. Throws as `connectRedis` does. */
export async function openScanQueue(parts: ScanQueueParts): Promise<ScanQueue> {
  const { config, io, backends, waitMs, onSpawned, onForged } = parts;
  const { log, signal, env } = io;
  if (config.embedded > 0) {
    const spawn = (): ChildProcess => {
      const consumer = spawnEmbeddedConsumer(config, env);
      onSpawned?.(consumer);
      return consumer;
    };
    return openEmbeddedQueue({ spawn, consumers: config.embedded, log });
  }
  return openBullmqQueue({
    address: parseRedisAddress(config.redisAddr),
    queue: config.queue,
    backends,
    waitMs,
    log,
    signal,
    seal: await parts.seal(),
    ...(onForged === undefined ? {} : { onForged }),
  });
}

import type { Redis } from "ioredis";

/** As which of its kinds a server runs. */
export type ServerMode = "standalone" | "cluster" | "sentinel";

const MODES: readonly ServerMode[] = ["standalone", "cluster", "sentinel"];

/**
 * What a server says it is. HELLO is the one command that every user may send and every kind answers; servers before
 * Redis 6 know none of it and are taken for what they were addressed as.
 */
export async function askMode(redis: Redis): Promise<ServerMode> {
  const told = await redis.call("HELLO").catch(() => undefined);
  const mode = fieldOf(told, "mode");
  return MODES.find((known) => known === mode) ?? "standalone";
}

/** A map comes as one or, from the older protocol, as a list of keys and values. */
function fieldOf(told: unknown, name: string): unknown {
  if (told instanceof Map) return told.get(name);
  if (Array.isArray(told)) return told[told.indexOf(name) + 1];
  return typeof told === "object" && told !== null ? Reflect.get(told, name) : undefined;
}

/**
 * What both sides of the BullMQ queue must agree on: its keys, and the times after which a consumer counts as dead.
 * BullMQ calls each backend's jobs a queue; the operator's queue name is the prefix of them all.
 */
import { ConfigFault } from "../../domain/fault.ts";

/**
 * A job's lock lasts this long and is renewed at half of it. A killed consumer's job runs again once its lock has
 * lapsed and the next check has passed, so after 4 seconds at most: BullMQ's own 30 and 30 outlast most bounties.
 * Consumers keep their event loop free (scans run in a process of their own), so that 3 seconds are not too short.
 */
export const LOCK_MS = 3_000;
export const STALL_CHECK_MS = 1_000;

/** How often a job may take its consumer down with it before it is given up: it is started twice. */
export const MAX_STALLS = 1;

/**
 * What Redis remembers of finished jobs, per backend: long enough that a producer that was restarted finds its
 * answers, short enough that Redis does not fill. A producer that lives forgets them much sooner.
 */
export const KEEP_FINISHED = { age: 3_600, count: 10_000 } as const;

/** A blocking read that a broken connection swallowed is repeated after this long, and a second. */
export const BLOCKING_READ_S = 2;

/** `{name}`: the braces make Redis Cluster keep all keys of the queue on one node, which BullMQ's scripts require. */
export function bullmqPrefix(queue: string): string {
  if (/^[\w.-]{1,128}$/.test(queue)) return `{${queue}}`;
  throw new ConfigFault("QUEUE_NAME_INVALID", `"${queue}" cannot name a queue.`, {
    hint: "Use letters, digits, dots, dashes and underscores for --queue (QUEUE).",
  });
}

/**
 * Jobs and answers under a secret that producer and consumers share (`QUEUE_SECRET`), so that a stranger who can
 * write to Redis, but does not know it, can neither have consumers scan nor have the producer stake on forged answers.
 *
 * A sealed value travels as `{ sealed, mac }`: `sealed` is the JSON text of the value, and `mac` is, in hex,
 *
 *     HMAC-SHA256(secret, "microengine job" | "microengine answer" | "microengine lease", 0, id, 0, sealed)
 *
 * over exactly the bytes that are read afterwards; the id is that of the job, or the key of a wallet's lease. A job's seal
 * opens for no answer; a job's id binds its chain, bounty, artifact and backend, so an answer can be replayed only to the very question it answers; and a job's deadline is among
 * the sealed bytes, so a replayed job is worth nothing after it. What the secret does not give: secrecy (a job says
 * what a public bounty says) and a queue that works while a stranger destroys what is in it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

export type Sealable = "job" | "answer" | "lease";

/** What came out of the queue: the value that was sealed, or why the seal does not hold. */
export type Opened =
  | { readonly kind: "genuine"; readonly value: unknown }
  | { readonly kind: "forged"; readonly why: string };

export interface Seal {
  /** Whether there is a secret: without one it cannot be told who made a value. */
  readonly secret: boolean;
  /** The value in the form that travels. */
  close(what: Sealable, id: string, value: object): object;
  open(what: Sealable, id: string, travelled: unknown): Opened;
}

/** More than any job or answer that is sent. */
const MAX_SEALED_CHARS = 2 ** 20;

const Sealed = z.object({ sealed: z.string(), mac: z.string() });

const forged = (why: string): Opened => ({ kind: "forged", why });

/** Seals under the secret; without one, values travel as they are, and sealed ones are turned away. */
export const createSeal = (secret: string | undefined): Seal =>
  secret === undefined ? OPEN_SEAL : secretSeal(secret);

const OPEN_SEAL: Seal = {
  secret: false,
  close: (_what, _jobId, value) => value,
  open(what, _jobId, travelled) {
    if (!Sealed.safeParse(travelled).success) return { kind: "genuine", value: travelled };
    return forged(`the ${what} is sealed with a QUEUE_SECRET and there is none here`);
  },
};

/** The secret is reachable from no property, so that no log line can carry it away. */
function secretSeal(secret: string): Seal {
  const macOf = (what: Sealable, jobId: string, text: string): Buffer =>
    createHmac("sha256", secret).update(`microengine ${what}\0${jobId}\0${text}`, "utf8").digest();
  return {
    secret: true,
    close(what, jobId, value) {
      const sealed = JSON.stringify(value);
      return { sealed, mac: macOf(what, jobId, sealed).toString("hex") };
    },
    open(what, jobId, travelled) {
      const read = Sealed.safeParse(travelled);
      if (!read.success) return forged(`the ${what} is not sealed with our QUEUE_SECRET`);
      const { sealed, mac } = read.data;
      if (sealed.length > MAX_SEALED_CHARS) return forged(`the ${what} is larger than any that is sealed`);
      // A lone surrogate would be hashed as U+FFFD, and so pass for another text.
      const told = /^[0-9a-f]{64}$/.test(mac) && sealed.isWellFormed() ? Buffer.from(mac, "hex") : undefined;
      if (told === undefined || !timingSafeEqual(told, macOf(what, jobId, sealed))) {
        return forged(`the ${what} is sealed with another QUEUE_SECRET, or was tampered with`);
      }
      // It was made with the secret, by `close`, so it is JSON.
      return { kind: "genuine", value: JSON.parse(sealed) };
    },
  };
}

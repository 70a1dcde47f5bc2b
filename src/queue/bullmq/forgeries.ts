import type { Logger } from "../../observe/log.ts";
import type { Sealable } from "../../redis/seal.ts";

/** Hears of every job or answer that was dropped because its seal does not hold. */
export type TellForgery = (jobId: string | undefined, why: string) => void;

/** Warns of the first one, with what to do about it; the others, which may be thousands, go to `debug`. */
export function forgeryTeller(what: Sealable, log: Logger, count: (() => void) | undefined): TellForgery {
  let warned = false;
  return (jobId, why) => {
    count?.();
    log[warned ? "debug" : "warn"](
      { jobId, why, hint: "Give the producer and every consumer the same QUEUE_SECRET, or none." },
      `queue.forged-${what}`,
    );
    warned = true;
  };
}

/**
 * What stands under the key of a wallet's lease, and whom it names.
 *
 * A producer with a `QUEUE_SECRET` seals its lease (seal.ts) together with the time at which it ends, on the clock of
 * Redis: one that was read and written back later is over by then. What cannot be such a lease names no holder, so that a
 * stranger who can write to Redis cannot keep a producer from its wallet:
 *
 *     we have     the value                                     it names
 *     a secret    sealed with it, not over yet                  its holder
 *                 anything else                                 no holder
 *     no secret   a holder, sealed or not, that lapses          its holder; all who write to Redis can make one
 *                 anything else                                 no holder
 */
import { z } from "zod";
import type { Seal } from "./seal.ts";

/** Who holds a lease, for people. */
const Holder = z.object({
  process: z.number(),
  host: z.string().max(255),
  since: z.string().max(64),
  /** Where it works, as the lock of the data directory names it. */
  place: z.string().max(1_024).optional(),
  /** Unix milliseconds on the clock of Redis. */
  until: z.number().optional(),
});
export type LeaseHolder = z.infer<typeof Holder>;

/** What no secret could be checked of: its text is read all the same, because another producer may have made it. */
const Sealed = z.object({ sealed: z.string(), mac: z.string() });

interface FoundLease {
  readonly value: string;
  /** Whether Redis forgets it by itself. */
  readonly lapses: boolean;
  /** Unix milliseconds on the clock of Redis. */
  readonly nowMs: number;
}

/** The holder that a found value names; undefined when it is no lease. */
export function holderIn(found: FoundLease, key: string, seal: Seal): LeaseHolder | undefined {
  const travelled = parse(found.value);
  if (seal.secret) {
    const opened = seal.open("lease", key, travelled);
    const holder = opened.kind === "genuine" ? Holder.safeParse(opened.value).data : undefined;
    return holder?.until !== undefined && holder.until > found.nowMs ? holder : undefined;
  }
  if (!found.lapses) return undefined;
  const sealed = Sealed.safeParse(travelled).data?.sealed;
  return Holder.safeParse(sealed === undefined ? travelled : parse(sealed)).data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

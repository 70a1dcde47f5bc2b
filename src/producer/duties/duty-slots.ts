import { RankedTasks } from "./ranked-tasks.ts";
import { type Duty, inTimeToReveal, revealIsUrgent } from "../../market/onchain/settlement/record/duty.ts";

export type SlotKind = "spare" | "missing" | "confirming" | "settling";

/**
 * Duties that are done a few at a time, the first of each kind first. What has time to spare. Reveals that
 * seem to be too late, which wait for nothing slow: there may be time after all. Posts and reveals of an earlier run that
 * are looked for: it may have left hundreds, and new bounties need the gateway too. Settlements, which wait for their
 * receipts most of the time, while what they pay cannot be staked.
 */
const SLOTS: Readonly<Record<SlotKind, { readonly duties: readonly Duty[]; readonly count: number }>> = {
  spare: {
    duties: ["verify-reveal", "verify-post", "publish", "ask-quorum", "give-up"],
    count: 8,
  },
  missing: { duties: ["miss-reveal"], count: 8 },
  confirming: { duties: ["confirm-reveal", "confirm-post"], count: 16 },
  settling: { duties: ["settle", "confirm-settle"], count: 40 },
};
const KINDS = Object.keys(SLOTS) as SlotKind[];

/** Which slots a duty about a bounty needs at this block; undefined for what begins at once. */
export function slotsFor(
  duty: Duty,
  expiration: number,
  revealWindow: number,
  head: number,
): SlotKind | undefined {
  const inTime = inTimeToReveal(expiration, revealWindow, head);
  // What is about to come too late waits for no slot, until the window has closed.
  if (duty === "confirm-reveal" && inTime && revealIsUrgent(expiration, revealWindow, head)) return undefined;
  return KINDS.find((kind) => SLOTS[kind].duties.includes(duty));
}

/** The slots of each kind. Kinds wait for nothing but their own. */
export class DutySlots {
  readonly #slots = Object.fromEntries(
    KINDS.map((kind) => [kind, new RankedTasks(SLOTS[kind].count, SLOTS[kind].duties.length)]),
  ) as Readonly<Record<SlotKind, RankedTasks>>;

  /** The task must not reject. It begins at once when a slot of the kind is free. */
  run(kind: SlotKind, duty: Duty, task: () => Promise<void>): void {
    this.#slots[kind].run(SLOTS[kind].duties.indexOf(duty), task);
  }

  /** Forgets what has not begun. */
  clear(): void {
    for (const kind of KINDS) this.#slots[kind].clear();
  }
}

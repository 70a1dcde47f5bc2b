import type { SettlementPlan, StepTraits } from "../../settlement.ts";
import type { Duty, Stage, Track } from "./record/duty.ts";

type Step = Exclude<Duty, "wait">;
type Traits = StepTraits & { readonly track: Track };

/** Duties that only look again at what was done. */
export const VERIFYING: readonly Duty[] = ["verify-post", "verify-reveal"];

/**
 * Duties that wait longer each time they fail, and how many blocks at most; the others have a window to meet and are
 * tried at every block.
 */
const LONGEST_PAUSE: Readonly<Partial<Record<Duty, number>>> = {
  publish: 32,
  "ask-quorum": 32,
  settle: 32,
  "confirm-settle": 32,
  "confirm-post": 4,
  "verify-post": 1,
  "verify-reveal": 1,
};

/** How many blocks a duty pauses that failed so often in a row; undefined for those that do not pause. */
export function pauseBlocks(duty: Duty, attempt: number): number | undefined {
  const longest = LONGEST_PAUSE[duty];
  return longest === undefined ? undefined : Math.min(2 ** (attempt - 1), longest);
}

const STEPS: Readonly<Record<Step, Traits>> = {
  // What is refused is built again at every block, for as long as the bounty is open.
  post: { track: "assertion", kind: "promise", tellsNewsOnly: true },
  "confirm-post": { track: "assertion", kind: "rest" },
  // A second look must not keep the metadata waiting.
  "verify-post": { track: "assertion", kind: "rest", looksOnly: true },
  publish: { track: "assertion", kind: "rest" },
  "give-up": { track: "assertion", kind: "rest" },
  reveal: { track: "reveal", kind: "save" },
  "confirm-reveal": { track: "reveal", kind: "save" },
  "verify-reveal": { track: "reveal", kind: "rest", looksOnly: true },
  "miss-reveal": { track: "reveal", kind: "rest" },
  "ask-quorum": { track: "reveal", kind: "rest" },
  settle: { track: "reveal", kind: "rest" },
  "confirm-settle": { track: "reveal", kind: "rest" },
};

/** Blocks that each stage takes on a market that is neither slow nor in trouble, and a few more. */
const STAGES: Readonly<Record<Stage, number>> = { post: 10, reveal: 3, settle: 10 };

export const ONCHAIN_PLAN = {
  tracks: ["assertion", "reveal"],
  steps: STEPS,
  stages: STAGES,
  /**
   * What has time to spare is done a few at a time. So are reveals that seem to be too late, which wait for nothing slow: there
   * may be time after all. Posts and reveals of an earlier run that are looked for: it may have left hundreds, and new bounties
   * need the gateway too. Settlements, which wait for their receipts most of the time, while what they pay cannot be staked.
   * Posting and revealing begin at once.
   */
  slots: {
    spare: { steps: ["verify-reveal", "verify-post", "publish", "ask-quorum", "give-up"], count: 8 },
    missing: { steps: ["miss-reveal"], count: 8 },
    confirming: { steps: ["confirm-reveal", "confirm-post"], count: 16 },
    settling: { steps: ["settle", "confirm-settle"], count: 40 },
  },
} as const satisfies SettlementPlan;

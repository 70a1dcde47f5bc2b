import type { Nct } from "../../../../domain/nct.ts";
import type { PostedAssertion } from "../../port/marketplace.ts";
import type { SettlementMemory } from "./settlement-memory.ts";

/** What is remembered of a bounty while the process lives. Nothing depends on it that a crash must not lose. */
export interface Memory {
  /** Whether the assertion's metadata is stored with the market. */
  published: boolean;
  /** The block since which it is `asserted` or `revealed`, until it was looked at again. */
  unverifiedSince: number | undefined;
  /** The newest block at the last look that found it there. */
  lastLook: number | undefined;
  /** Why the assertion was refused the last time, before anything was signed. */
  refusal: string | undefined;
  /** How often the reveal's bytes, signed last, were handed over again in vain. */
  timesResent: number;
  /** Which assertion the reveal signed last is for. */
  revealIndex: number | undefined;
  /** The reveal signed last certainly failed. */
  revealFailed: boolean;
  /** How often the contract said of a reveal that its window is not open. */
  refusedAsLate: number;
  /** A reveal was tried although it seems too late. */
  triedLate: boolean;
  /** What the marketplace's own announcement said a settlement of ours paid. */
  announced: Nct | undefined;
  readonly settlement: SettlementMemory;
  /** The arbiters may have agreed: it was announced, or the stream was away. It was not asked for since. */
  quorumUnheard: boolean;
  /** The market announced it. */
  quorumAnnounced: boolean;
  /** Where the event stream says that our assertion stands; anyone can say so. */
  noted: number | undefined;
  /** Resolves with where it stands when a source says so. */
  placed: PromiseWithResolvers<number>;
  /** The places that were tried without knowing where our assertion stands. */
  tried: readonly number[];
  /** Where the ledger has our assertion, and the contract says that it is not. */
  misplaced: number | undefined;
  /** A look at the market that is under way: the next who wants to know joins it. */
  look: Promise<PostedAssertion | undefined> | undefined;
}

/** What is known of a bounty that comes onto the agenda at this block. */
export const newMemory = (
  known: Pick<Memory, "published" | "unverifiedSince" | "quorumUnheard">,
): Memory => ({
  ...known,
  lastLook: undefined,
  refusal: undefined,
  timesResent: 0,
  revealIndex: undefined,
  revealFailed: false,
  refusedAsLate: 0,
  triedLate: false,
  announced: undefined,
  settlement: { seen: undefined, refused: false, contractAsked: false },
  quorumAnnounced: false,
  noted: undefined,
  placed: Promise.withResolvers(),
  tried: [],
  misplaced: undefined,
  look: undefined,
});

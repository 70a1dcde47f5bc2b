import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BountyState, PROMISED_STATES } from "../../src/domain/lifecycle.ts";
import { ONCHAIN_PLAN } from "../../src/market/onchain/settlement/plan.ts";
import {
  type Duty,
  type DutyFacts,
  nextDuty as nextOn,
  stageDue,
} from "../../src/market/onchain/settlement/record/duty.ts";

const facts = (
  state: BountyState,
  head: number,
  more: {
    quorum?: boolean;
    revealMissed?: boolean;
    published?: boolean;
    revealWindow?: number;
    unverifiedSince?: number;
    quorumUnheard?: boolean;
  } = {},
): DutyFacts => ({
  record: {
    state,
    quorum: more.quorum ?? false,
    revealMissed: more.revealMissed ?? false,
    bounty: { expiration: 1020 },
  },
  published: more.published ?? true,
  unverifiedSince: more.unverifiedSince,
  quorumUnheard: more.quorumUnheard ?? false,
  head,
  parameters: { revealWindow: more.revealWindow ?? 10, voteWindow: 100 },
});

/** What is next on either track, the reveal's first. */
const nextDuty = (known: DutyFacts): Duty => {
  const reveal = nextOn("reveal", known);
  return reveal === "wait" ? nextOn("assertion", known) : reveal;
};

describe("the two tracks of a promised bounty", () => {
  it.each([
    [1019, "confirm-post", "wait"],
    [1020, "confirm-post", "reveal"],
    [1028, "confirm-post", "reveal"],
    [1029, "confirm-post", "wait"],
  ] as const)(
    "at block %i an unconfirmed post is to %s, and at the same time to %s",
    (head, assertion, reveal) => {
      expect(nextOn("assertion", facts("posting", head))).toBe(assertion);
      expect(nextOn("reveal", facts("posting", head))).toBe(reveal);
    },
  );

  it("have no duty in common", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PROMISED_STATES),
        fc.integer({ min: 900, max: 1300 }),
        fc.constantFrom(...ONCHAIN_PLAN.tracks),
        (state, head, track) => {
          const duty = nextOn(track, facts(state, head, { published: false, quorumUnheard: true }));
          if (duty !== "wait") expect(ONCHAIN_PLAN.steps[duty].track).toBe(track);
        },
      ),
    );
  });
});

describe("what is due of a promised bounty", () => {
  it.each([
    ["planned", 1010, undefined],
    ["posting", 1010, "post"],
    ["posting", 1020, "reveal"],
    ["asserted", 1019, undefined],
    ["asserted", 1020, "reveal"],
    ["revealing", 1025, "reveal"],
    ["revealing", 1050, "reveal"],
    ["revealed", 1050, undefined],
    ["revealed", 1130, "settle"],
    ["settling", 1130, "settle"],
  ] as const)("of one that is %s at block %i is to %s", (state, head, stage) => {
    expect(stageDue(facts(state, head))).toBe(stage);
  });

  it("is the settlement, not the reveal, of one whose reveal was written off", () => {
    expect(stageDue(facts("asserted", 1050, { revealMissed: true }))).toBeUndefined();
    expect(stageDue(facts("asserted", 1130, { revealMissed: true }))).toBe("settle");
  });

  it("is overdue after three blocks of a reveal, and after ten of a post or a settlement", () => {
    expect(ONCHAIN_PLAN.stages).toEqual({ post: 10, reveal: 3, settle: 10 });
  });
});

describe("the next duty of a promised bounty", () => {
  it.each([
    ["planned", 1018, "post"],
    ["planned", 1019, "give-up"],
    ["posting", 1000, "confirm-post"],
    ["posting", 1020, "reveal"],
    ["posting", 2000, "confirm-post"],
    ["asserted", 1019, "wait"],
    ["asserted", 1020, "reveal"],
    ["asserted", 1028, "reveal"],
    ["asserted", 1029, "miss-reveal"],
    ["revealing", 1021, "confirm-reveal"],
    ["revealed", 1129, "wait"],
    ["revealed", 1130, "settle"],
    ["settling", 1131, "confirm-settle"],
    ["settled", 1131, "wait"],
  ] as const)("of one that is %s when block %i is the newest is to %s", (state, head, duty) => {
    expect(nextDuty(facts(state, head))).toBe(duty);
  });

  it("is to publish the metadata as soon as the assertion is on the market, before the reveal is due", () => {
    expect(nextDuty(facts("asserted", 1003, { published: false }))).toBe("publish");
    expect(nextDuty(facts("asserted", 1020, { published: false }))).toBe("reveal");
  });

  it("is to settle at quorum without waiting for the vote window to end", () => {
    expect(nextDuty(facts("revealed", 1031, { quorum: true }))).toBe("settle");
  });

  it("is to settle even when the reveal was missed, because without votes the stake comes back", () => {
    expect(nextDuty(facts("asserted", 1050, { revealMissed: true }))).toBe("wait");
    expect(nextDuty(facts("asserted", 1130, { revealMissed: true }))).toBe("settle");
    expect(nextDuty(facts("revealing", 1130, { revealMissed: true }))).toBe("settle");
  });

  it("follows a reveal window that changed while the bounty was in flight", () => {
    expect(nextDuty(facts("asserted", 1035))).toBe("miss-reveal");
    expect(nextDuty(facts("asserted", 1035, { revealWindow: 30 }))).toBe("reveal");
  });

  it("is to reveal what was written off when the window, or the head, turns out to be another", () => {
    const revealMissed = true;
    expect(nextDuty(facts("asserted", 1035, { revealMissed, revealWindow: 30 }))).toBe("reveal");
    expect(nextDuty(facts("revealing", 1035, { revealMissed, revealWindow: 30 }))).toBe("confirm-reveal");
    expect(nextDuty(facts("asserted", 1003, { revealMissed }))).toBe("wait");
    expect(nextDuty(facts("settling", 1003, { revealMissed }))).toBe("wait");
    expect(nextDuty(facts("settling", 1021, { revealMissed }))).toBe("confirm-reveal");
    expect(nextDuty(facts("settling", 1029, { revealMissed }))).toBe("confirm-settle");
  });

  it.each([
    ["asserted", 1005, 1007, "wait"],
    ["asserted", 1005, 1008, "verify-post"],
    // A short bounty: block 1018 is the last at which it can still be handed over again.
    ["asserted", 1017, 1018, "verify-post"],
    ["asserted", 1017, 1019, "wait"],
    ["revealed", 1021, 1023, "wait"],
    ["revealed", 1021, 1024, "verify-reveal"],
    ["revealed", 1027, 1028, "verify-reveal"],
    ["revealed", 1027, 1029, "wait"],
  ] as const)("of one %s since block %i, at block %i, is to %s", (state, unverifiedSince, head, duty) => {
    expect(nextDuty(facts(state, head, { unverifiedSince }))).toBe(duty);
  });

  it("is to look again before the metadata is stored, because that may fail for long", () => {
    const more = { unverifiedSince: 1005, published: false };
    expect(nextDuty(facts("asserted", 1008, more))).toBe("verify-post");
  });

  it("is to ask for a quorum that may have been missed, once votes can have been cast and not when it is known", () => {
    const quorumUnheard = true;
    expect(nextDuty(facts("revealed", 1029, { quorumUnheard }))).toBe("wait");
    expect(nextDuty(facts("revealed", 1030, { quorumUnheard }))).toBe("ask-quorum");
    expect(nextDuty(facts("revealed", 1030, { quorumUnheard, quorum: true }))).toBe("settle");
    expect(nextDuty(facts("asserted", 1050, { quorumUnheard, revealMissed: true }))).toBe("ask-quorum");
    expect(nextDuty(facts("revealed", 1130, { quorumUnheard }))).toBe("settle");
  });

  it("reveals one block early where the window is too short to wait", () => {
    expect(nextDuty(facts("asserted", 1019, { revealWindow: 1 }))).toBe("reveal");
    expect(nextDuty(facts("asserted", 1018, { revealWindow: 1 }))).toBe("wait");
  });

  it("never asks for a reveal that would be mined outside the window", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PROMISED_STATES),
        fc.integer({ min: 900, max: 1300 }),
        fc.integer({ min: 1, max: 50 }),
        (state, head, revealWindow) => {
          if (nextOn("reveal", facts(state, head, { revealWindow })) !== "reveal") return;
          expect(head + 1).toBeGreaterThanOrEqual(1020);
          expect(head + 1).toBeLessThan(1020 + revealWindow);
        },
      ),
    );
  });
});

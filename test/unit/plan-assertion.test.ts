import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BidRequest, BidStrategy } from "../../src/bid/contract.ts";
import type { StakeAllowance } from "../../src/bid/limits.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Opinion } from "../../src/domain/opinion.ts";
import { ppm, type Verdict } from "../../src/domain/verdict.ts";
import { buildMetadata } from "../../src/market/metadata-document.ts";
import { consensusOf } from "../../src/market/onchain/settlement/steps/consensus.ts";
import type { Terms } from "../../src/market/port.ts";
import type { ArtifactInWork } from "../../src/producer/answering/artifact-in-work.ts";
import { answersDue } from "../../src/producer/answering/deadline.ts";
import { planAssertion } from "../../src/producer/answering/plan-assertion.ts";
import { aBounty, anAnswer, someTerms } from "../fixtures/bounties.ts";

const opinionOf = (verdict: Verdict, confidence = 1): Opinion => ({
  verdict,
  confidence: ppm(confidence),
  probability: ppm(0.9),
  interval: [ppm(0.5), ppm(1)],
  family: verdict === "malicious" ? "Some.Family" : "",
  reason: `somebody: ${verdict}`,
});

const itemOf = (index: number, verdict: Verdict | null): ArtifactInWork => ({
  index,
  asked: verdict === null ? [] : ["eicar"],
  answers: [],
  opinion: verdict === null ? null : opinionOf(verdict),
});

const most: BidStrategy = {
  name: "most",
  bid: ({ artifacts, bidMaximum }) => artifacts.map(() => bidMaximum),
};

const refusal: StakeAllowance = { kind: "nothing", why: "over-limit", detail: "no more than that" };

const plan = (
  items: readonly ArtifactInWork[],
  more: {
    artifactCount?: number;
    allowance?: StakeAllowance;
    strategy?: BidStrategy;
    terms?: Terms;
  } = {},
) =>
  planAssertion({
    bounty: aBounty({ artifactCount: more.artifactCount ?? items.length }),
    items,
    terms: more.terms ?? someTerms,
    rivals: [],
    allowance: more.allowance ?? { kind: "stake", most: nct(1_000n * ONE_NCT), bound: "balance" },
    atRisk: nct(0n),
    strategy: more.strategy ?? most,
    seal: (verdicts) => ({ nonce: 7n, commitment: 1_000n + verdicts }),
    now: instant(5),
    version: "0.1.0",
  });

describe("the plan of an assertion", () => {
  it("bids no more on an artifact than the operator's ceiling, whatever maximum a gateway names, and less where it names less", () => {
    const allowance: StakeAllowance = {
      kind: "stake",
      most: nct(900n * ONE_NCT),
      bound: "balance",
      mostPerArtifact: nct(ONE_NCT),
    };
    const bidsUnder = (bidMaximum: bigint) => {
      const made = plan([itemOf(0, "malicious"), itemOf(1, "benign")], {
        allowance,
        terms: { ...someTerms, bidMaximum: nct(bidMaximum) },
      });
      return made.kind === "assert" ? made.assertion.bids : made;
    };
    expect(bidsUnder(10n ** 24n)).toEqual([ONE_NCT, ONE_NCT]);
    expect(bidsUnder(ONE_NCT / 2n)).toEqual([ONE_NCT / 2n, ONE_NCT / 2n]);
  });

  it("masks exactly the artifacts with a verdict that can be asserted, and keeps their places", () => {
    const made = plan([itemOf(0, "unknown"), itemOf(1, "malicious"), itemOf(2, null), itemOf(3, "benign")]);
    expect(made).toMatchObject({ kind: "assert", assertion: { mask: 0b1010n, verdicts: 0b0010n } });
    if (made.kind === "assert") expect(made.assertion.bids).toHaveLength(2);
  });

  it("has metadata for every artifact of the bounty, silent ones and unlisted ones included", () => {
    const made = plan([itemOf(0, "unknown"), itemOf(1, "malicious")], { artifactCount: 3 });
    if (made.kind !== "assert") throw new Error("expected an assertion");
    expect(made.assertion.metadata.map((entry) => entry.malware_family)).toEqual(["", "Some.Family", ""]);
  });

  it("seals the very verdicts that it masks", () => {
    const made = plan([itemOf(0, "malicious"), itemOf(1, "benign")]);
    expect(made).toMatchObject({ assertion: { commitment: 1_001n, nonce: 7n } });
  });

  it.each([
    [[itemOf(0, "unknown"), itemOf(1, "suspicious")], {}, "no-opinion"],
    [[itemOf(0, "unknown")], { allowance: refusal }, "no-opinion"],
    [[itemOf(0, "malicious")], { allowance: refusal }, "over-limit"],
    [[itemOf(0, "malicious")], { strategy: { name: "mute", bid: () => [null] } }, "abstained"],
  ] as const)("is silence with a reason when there is nothing to stake (%#)", (items, more, why) => {
    expect(plan(items, more)).toMatchObject({ kind: "abandon", why });
  });
});

describe("what a strategy is shown of the limits", () => {
  it("is a purse and a highest bid that it cannot leave", () => {
    const shown: BidRequest[] = [];
    const strategy: BidStrategy = {
      name: "curious",
      bid: (request) => {
        shown.push(request);
        return request.artifacts.map(() => ONE_NCT);
      },
    };
    const allowance: StakeAllowance = { kind: "stake", most: nct(ONE_NCT / 2n), bound: "at-risk" };
    const made = plan([itemOf(0, "malicious"), itemOf(1, "benign")], { allowance, strategy });
    expect(shown).toMatchObject([{ balance: ONE_NCT / 2n + someTerms.fee, bidMaximum: ONE_NCT / 2n }]);
    expect(made).toMatchObject({ assertion: { stake: ONE_NCT / 2n, mask: 0b01n } });
  });

  it("does not widen the contract's limits", () => {
    const allowance: StakeAllowance = { kind: "stake", most: nct(9n * ONE_NCT), bound: "balance" };
    expect(plan([itemOf(0, "malicious")], { allowance })).toMatchObject({ assertion: { stake: ONE_NCT } });
  });
});

describe("assertion metadata", () => {
  const spoken = (metadata: Record<string, unknown>) => [
    { opinion: opinionOf("malicious"), answers: [anAnswer({ metadata, scannerVersion: "3.1.0" })] },
  ];

  it("keeps what a scanner adds and drops only what the marketplace's schema refuses", () => {
    const [entry] = buildMetadata(
      spoken({
        domains: ["evil.example"],
        ip_addresses: ["1.2.3"],
        heuristic: "maybe",
        stix: [{ schema: "indicator-2.0", signature: { pattern: "x" } }],
        note: "two engines agree",
        nothing: null,
      }),
      { microengine: "0.1.0" },
    );
    expect(entry).toMatchObject({
      malware_family: "Some.Family",
      domains: ["evil.example"],
      stix: [{ schema: "indicator-2.0", signature: { pattern: "x" } }],
      note: "two engines agree",
      scanner: { version: "3.1.0", polyswarmclient_version: "0.1.0" },
    });
    expect(entry).not.toHaveProperty("ip_addresses");
    expect(entry).not.toHaveProperty("heuristic");
    expect(entry).not.toHaveProperty("nothing");
  });

  it("cuts an entry that is too large for the gateway down to what the market needs", () => {
    const [entry] = buildMetadata(spoken({ dump: "x".repeat(100_000) }), { microengine: "0.1.0" });
    expect(entry).not.toHaveProperty("dump");
    expect(entry?.malware_family).toBe("Some.Family");
  });
});

describe("the arbiters' consensus", () => {
  const voter = parseAddress("0x8CF7a766FEcD29c8Baf0da7023c788d2F747200D");
  it("is malicious at a tie and unknown without votes", () => {
    expect(consensusOf([], 2)).toBeUndefined();
    const votes = [0b01n, 0b00n].map((bits) => ({ voter, votes: bits }));
    expect(consensusOf(votes, 2)).toEqual([true, false]);
  });
});

describe("the plan of an answer that carries no stake", () => {
  it("says all that can be said, whatever the strategy and the limits are", () => {
    const items = [itemOf(0, "malicious"), itemOf(1, "suspicious"), itemOf(2, "benign")];
    const isStaked = false;
    const planned = plan(items, { terms: { ...someTerms, isStaked }, allowance: refusal });
    expect(planned).toMatchObject({
      kind: "assert",
      assertion: { mask: 0b101n, verdicts: 0b001n, bids: [0n, 0n], stake: 0n },
    });
    const onlyMalicious = { ...someTerms, isStaked, verdicts: ["malicious"] } as const;
    expect(plan(items, { terms: onlyMalicious })).toMatchObject({ assertion: { mask: 0b001n } });
  });
});

describe("the instant at which answers are due", () => {
  it("is never after the last block that can still carry the assertion, and leaves half the time for scanning", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 200 }), fc.integer({ min: 100, max: 5_000 }), (left, blockMs) => {
        const now = instant(1_000_000);
        const instantOf = (block: number) => instant(now + block * blockMs);
        const last = instantOf(left - 2);
        const due = answersDue({ last, comfortable: instantOf(left - 4) }, now);
        expect(due).toBeLessThanOrEqual(last);
        expect(due - now).toBeGreaterThanOrEqual((last - now) / 2);
        // Consumers are told whole milliseconds.
        expect(Number.isInteger(due)).toBe(true);
      }),
    );
  });
});

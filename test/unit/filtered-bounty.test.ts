import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BidStrategy } from "../../src/bid/contract.ts";
import { hasBit } from "../../src/domain/bits.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Opinion } from "../../src/domain/opinion.ts";
import { ppm } from "../../src/domain/verdict.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { ArtifactInWork } from "../../src/producer/answering/artifact-in-work.ts";
import { planAssertion } from "../../src/producer/answering/plan-assertion.ts";
import { type TriageParts, triageArtifacts } from "../../src/producer/answering/triage-artifacts.ts";
import { type Filter, parseCondition } from "../../src/triage/filters/filter.ts";
import type { Modifier } from "../../src/triage/filters/modifier.ts";
import { aBounty, someTerms } from "../fixtures/bounties.ts";
import { slowCondition } from "../fixtures/slow-condition.ts";

const NOW = instant(1_000_000);
const never = new AbortController().signal;
const HTML: Filter = { decision: "reject", condition: parseCondition("mimetype", "==", "text/html") };
const bountyOf = (...mimetypes: readonly string[]) =>
  aBounty({
    artifactCount: mimetypes.length,
    claims: mimetypes.map((mimetype) => ({ mimetype, raw: { mimetype } })),
  });

/** What becomes of a bounty's artifacts, and what the market was asked for meanwhile. */
async function triaged(
  bounty: ReturnType<typeof aBounty>,
  parts: Partial<TriageParts> & { filters?: Filter[] },
) {
  const { filters = [], ...more } = parts;
  using ledger = openLedger(":memory:", { now: () => NOW });
  ledger.see(bounty);
  const heads: number[] = [];
  const told: { readonly artifact: number; readonly why: string }[] = [];
  const items = await triageArtifacts(
    {
      market: {
        answerTimes: () => ({ last: instant(NOW + 18_000), comfortable: instant(NOW + 16_000) }),
        async artifactHead(_bounty: unknown, index: number) {
          heads.push(index);
          return Buffer.from("MZ");
        },
      } as unknown as TriageParts["market"],
      ledger,
      clock: { now: () => NOW },
      tell: (event, facts) => {
        if (event === "artifact.skipped") told.push(facts as (typeof told)[number]);
      },
      rules: {
        artifactKinds: ["file"],
        maxSizeBytes: 1_000_000,
        // Takes one type only, so that triage must look.
        backends: [{ name: "pe", accepts: { types: ["application/x-msdownload"] } }],
        routes: [{ types: ["application/pdf"], backends: [] }],
        filters,
      },
      ...more,
    },
    bounty,
    bounty.artifactCount,
    never,
  );
  return { items, heads: heads.toSorted(), told };
}

const most: BidStrategy = {
  name: "most",
  bid: ({ artifacts, bidMaximum }) => artifacts.map(() => bidMaximum),
};
const judged = (items: readonly ArtifactInWork[], confidence = 0.75): readonly ArtifactInWork[] =>
  items.map((item) => {
    const opinion: Opinion = {
      verdict: "malicious",
      confidence: ppm(confidence),
      probability: ppm(0.9),
      interval: [ppm(0.5), ppm(1)],
      family: "Some.Family",
      reason: "somebody",
    };
    return item.asked.length === 0 ? item : { ...item, opinion };
  });
const plan = (
  bounty: ReturnType<typeof aBounty>,
  items: readonly ArtifactInWork[],
  more: { strategy?: BidStrategy; modifiers?: readonly Modifier[] } = {},
) =>
  planAssertion({
    bounty,
    items,
    terms: someTerms,
    rivals: [],
    atRisk: nct(0n),
    strategy: most,
    allowance: { kind: "stake", most: nct(1_000n * ONE_NCT), bound: "balance" },
    seal: (verdicts) => ({ nonce: 7n, commitment: 1_000n + verdicts }),
    now: NOW,
    version: "0.1.0",
    ...more,
  });

describe("a bounty of which some artifacts are filtered out", () => {
  it("asks the market for nothing of an artifact that a filter rejects", async () => {
    const { items, heads, told } = await triaged(bountyOf("text/html", "a/b", "text/html"), {
      filters: [HTML],
    });
    expect(heads).toEqual([1]);
    expect(items.map(({ asked }) => asked)).toEqual([[], ["pe"], []]);
    expect(told).toMatchObject([
      { artifact: 0, why: "filtered", detail: "rejected by mimetype == text/html" },
      { artifact: 2, why: "filtered" },
    ]);
  });

  it("lets the producer do what else is due between two texts of a stranger's that are slow to search", async () => {
    using slow = slowCondition();
    const { items } = await triaged(bountyOf(...Array.from({ length: 40 }, () => "a/b")), {
      filters: [{ decision: "accept", condition: slow.condition }],
    });
    expect(items).toHaveLength(40);
    expect(slow.counted()).toEqual({ asked: 40, inOneTurn: 1 });
  });

  it("ends as nothing to scan when all of them are", async () => {
    await expect(triaged(bountyOf("text/html", "text/html"), { filters: [HTML] })).rejects.toMatchObject({
      why: "nothing-to-scan",
    });
  });

  it("keeps every other artifact at its place in mask, verdicts, bids and metadata", async () => {
    const some = fc
      .array(fc.boolean(), { minLength: 1, maxLength: 40 })
      .filter((kept) => kept.includes(true));
    await fc.assert(
      fc.asyncProperty(some, async (kept) => {
        const bounty = bountyOf(...kept.map((keep) => (keep ? "a/b" : "text/html")));
        const { items } = await triaged(bounty, { filters: [HTML] });
        const made = plan(bounty, judged(items));
        if (made.kind !== "assert") throw new Error("expected an assertion");
        const { mask, verdicts, bids, confidences, metadata } = made.assertion;
        expect(kept.map((_, index) => hasBit(mask, index))).toEqual(kept);
        expect(verdicts).toBe(mask);
        expect(bids).toHaveLength(kept.filter(Boolean).length);
        expect(confidences).toHaveLength(bids.length);
        expect(metadata.map((entry) => entry.malware_family !== "")).toEqual(kept);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a day's last artifacts", () => {
  it("are taken in the order of the bounty, and only by what is to be scanned", async () => {
    let left = 2;
    const take = async () => (left-- > 0 ? undefined : "2 a day are used up");
    const { items, told } = await triaged(bountyOf("text/html", "a/b", "c/d", "e/f"), {
      filters: [HTML],
      artifactRate: { take },
    });
    expect(items.map(({ asked }) => asked.length)).toEqual([0, 1, 1, 0]);
    expect(told).toMatchObject([
      { artifact: 0, why: "filtered" },
      { artifact: 3, why: "rate-limited", detail: "2 a day are used up" },
    ]);
  });
});

describe("a modified confidence", () => {
  const modifier = (effect: Modifier["effect"], value: string): Modifier => ({
    effect,
    condition: parseCondition("mimetype", "==", value),
  });
  const seen: number[][] = [];
  const watching: BidStrategy = {
    name: "watching",
    bid: ({ artifacts, bidMinimum }) => {
      seen.push(artifacts.map(({ confidence }) => confidence));
      return artifacts.map(() => bidMinimum);
    },
  };

  it("bids on each artifact by what the bounty says of that one", async () => {
    const bounty = bountyOf("text/html", "a/b", "c/d", "e/f");
    const { items } = await triaged(bounty, { filters: [HTML] });
    const opinions = judged(items, 0.9);
    const made = plan(bounty, opinions, {
      strategy: watching,
      modifiers: [modifier("favor", "c/d"), modifier("penalize", "e/f"), modifier("penalize", "text/html")],
    });
    expect(seen).toEqual([[900_000, 980_000, 820_000]]);
    expect(made).toMatchObject({ assertion: { mask: 0b1110n, confidences: [900_000, 980_000, 820_000] } });
    expect(opinions[2]?.opinion?.confidence).toBe(900_000);
  });

  it("is kept beside the bids, though one of them was dropped", async () => {
    const bounty = bountyOf("a/b", "c/d", "e/f");
    const { items } = await triaged(bounty, {});
    const second: BidStrategy = { name: "some", bid: ({ bidMinimum }) => [bidMinimum, null, bidMinimum] };
    const made = plan(bounty, judged(items), { strategy: second, modifiers: [modifier("favor", "e/f")] });
    expect(made).toMatchObject({ assertion: { mask: 0b101n, confidences: [750_000, 800_000] } });
    if (made.kind !== "assert") throw new Error("expected an assertion");
    using ledger = openLedger(":memory:", { now: () => NOW });
    ledger.see(bounty);
    ledger.recordTriage(bounty, ["scan", "scan", "scan"]);
    ledger.advance(bounty, "dispatched");
    ledger.recordOpinions(
      bounty,
      judged(items).map(({ opinion }) => opinion),
      [],
    );
    ledger.planAssertion(bounty, made.assertion);
    expect(ledger.assertion(bounty)?.confidences).toEqual([750_000, 800_000]);
  });
});

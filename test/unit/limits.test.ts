import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowance, type Limits, type MoneyFacts } from "../../src/bid/limits.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { settingName } from "../../src/config/values/settings.ts";
import { type Nct, nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";

const none: Limits = { minBalance: nct(0n), fee: nct(ONE_NCT) };
const rich: MoneyFacts = {
  balance: nct(1_000n * ONE_NCT),
  stakedLastHour: nct(0n),
  atRisk: nct(0n),
  atRiskHere: nct(0n),
  profit: 0n,
  fee: parseNct("0.03125"),
  bidMinimum: parseNct("0.0625"),
};
const NCT = (text: string): Nct => parseNct(text);

const amount = fc.bigInt({ min: 0n, max: 100n }).map(nct);
const maybe = fc.option(amount, { nil: undefined });
const anyLimits: fc.Arbitrary<
  Limits & { readonly stakePerBounty?: Nct | undefined; readonly atRisk?: Nct | undefined }
> = fc.record({
  stakePerBounty: maybe,
  stakePerHour: maybe,
  atRisk: maybe,
  minBalance: amount,
  fee: amount,
  stopLoss: maybe,
});
const anyFacts: fc.Arbitrary<MoneyFacts> = fc.record({
  balance: amount,
  stakedLastHour: amount,
  atRisk: amount,
  atRiskHere: amount,
  profit: fc.bigInt({ min: -100n, max: 100n }),
  fee: amount,
  bidMinimum: amount,
});

describe("an allowance", () => {
  it("is a share of everything that the wallet has, staked or not, but never less than the highest bid", () => {
    const limits: Limits = { ...none, stakePerBounty: { percent: 10 }, atRisk: { percent: 50 } };
    const facts = { ...rich, balance: NCT("700"), atRisk: NCT("300"), atRiskHere: NCT("300") };
    expect(allowance(limits, facts)).toMatchObject({ most: NCT("100"), bound: "stake-per-bounty" });
    const staked = { ...facts, balance: NCT("520"), atRisk: NCT("480"), atRiskHere: NCT("480") };
    expect(allowance(limits, staked)).toMatchObject({ most: NCT("20"), bound: "at-risk" });
    const poor = { ...rich, balance: NCT("5") };
    expect(allowance(limits, poor)).toMatchObject({ most: NCT("1"), bound: "stake-per-bounty" });
  });

  it("is a share of this chain's balance and stakes alone: what is staked on the other chain makes no wallet bigger", () => {
    const limits: Limits = { ...none, stakePerBounty: { percent: 10 }, atRisk: { percent: 50 } };
    const elsewhere = { ...rich, balance: NCT("100"), atRisk: NCT("900"), atRiskHere: NCT("0") };
    expect(allowance(limits, elsewhere)).toMatchObject({ most: NCT("10"), bound: "stake-per-bounty" });
    const here = { ...elsewhere, balance: NCT("60"), atRiskHere: NCT("45") };
    expect(allowance(limits, here)).toMatchObject({ most: NCT("7.5"), bound: "at-risk" });
    // An amount is held against what is staked on all chains.
    expect(allowance({ ...none, atRisk: NCT("901") }, elsewhere)).toMatchObject({ most: NCT("1") });
  });

  it("names the most for one artifact, and is nothing when the market's smallest bid is more", () => {
    const limits: Limits = { ...none, bid: NCT("1") };
    expect(allowance(limits, rich)).toMatchObject({ mostPerArtifact: NCT("1") });
    expect(allowance(limits, { ...rich, bidMinimum: NCT("2") })).toMatchObject({
      why: "over-limit",
      detail: "the smallest bid is 2 NCT; at most 1 NCT on one artifact: --max-bid (variable MAX_BID)",
    });
  });

  it("is what the wallet holds after the fee when no limit is set", () => {
    expect(allowance(none, rich)).toEqual({ kind: "stake", most: rich.balance - rich.fee, bound: "balance" });
  });

  it.each([
    ["stake-per-bounty", { stakePerBounty: NCT("2") }, {}, "2"],
    ["stake-per-hour", { stakePerHour: NCT("5") }, { stakedLastHour: NCT("3.5") }, "1.5"],
    ["at-risk", { atRisk: NCT("5") }, { atRisk: NCT("4.5") }, "0.5"],
    ["min-balance", { minBalance: NCT("999") }, {}, "0.96875"],
  ] as const)("is what %s leaves when that is least", (bound, limits, facts, most) => {
    const all = { stakePerBounty: NCT("9"), stakePerHour: NCT("9"), atRisk: NCT("9") };
    expect(allowance({ ...none, ...all, ...limits }, { ...rich, ...facts })).toEqual({
      kind: "stake",
      most: parseNct(most),
      bound,
    });
  });

  it.each([
    [{ stakePerBounty: NCT("0.05") }, {}, "0.05 NCT may be staked now; at most 0.05 NCT a bounty"],
    [
      { stakePerHour: NCT("5") },
      { stakedLastHour: NCT("5") },
      "0 NCT may be staked now; at most 5 NCT within any hour",
    ],
    [{ atRisk: NCT("3") }, { atRisk: NCT("4") }, "0 NCT may be staked now; at most 3 NCT at risk"],
    [{ minBalance: NCT("1000") }, {}, "0 NCT may be staked now; 1000 NCT stay in the wallet"],
    [{ fee: NCT("0.03") }, {}, "an assertion costs 0.03125 NCT; at most 0.03 NCT are paid for it"],
  ])(
    "is nothing where a limit leaves less than the smallest bid, and says which (%#)",
    (limits, facts, says) => {
      const answer = allowance({ ...none, ...limits }, { ...rich, ...facts });
      expect(answer).toMatchObject({ kind: "nothing", why: "over-limit" });
      expect(answer.kind === "nothing" && answer.detail).toContain(says);
    },
  );

  it("calls a purse thin that could not pay even without limits", () => {
    const facts = { ...rich, balance: NCT("0.09") };
    expect(allowance({ ...none, minBalance: NCT("0") }, facts)).toEqual({
      kind: "nothing",
      why: "thin-purse",
      detail: "0.09 NCT are free; fee and smallest bid take 0.09375 NCT",
    });
  });

  it("is nothing from the moment the losses reach the stop-loss", () => {
    const limits = { ...none, stopLoss: NCT("2") };
    expect(allowance(limits, { ...rich, profit: -NCT("1.9") })).toMatchObject({ kind: "stake" });
    expect(allowance(limits, { ...rich, profit: -NCT("2") })).toMatchObject({ why: "stop-loss" });
    expect(allowance(limits, { ...rich, profit: NCT("5") })).toMatchObject({ kind: "stake" });
  });

  it("stays with a stop-loss of nothing until something was lost", () => {
    const limits = { ...none, stopLoss: nct(0n) };
    expect(allowance(limits, rich)).toMatchObject({ kind: "stake" });
    expect(allowance(limits, { ...rich, profit: -1n })).toMatchObject({ why: "stop-loss" });
  });

  it("breaks no limit, whatever the limits and whatever the facts", () => {
    fc.assert(
      fc.property(anyLimits, anyFacts, (limits, facts) => {
        const answer = allowance(limits, facts);
        if (answer.kind === "nothing") return;
        const unlimited = 10n ** 6n;
        expect(answer.most).toBeGreaterThanOrEqual(facts.bidMinimum);
        expect(answer.most).toBeLessThanOrEqual(limits.stakePerBounty ?? unlimited);
        expect(answer.most + facts.stakedLastHour).toBeLessThanOrEqual(limits.stakePerHour ?? unlimited);
        expect(answer.most + facts.atRisk).toBeLessThanOrEqual(limits.atRisk ?? unlimited);
        expect(facts.balance - facts.fee - answer.most).toBeGreaterThanOrEqual(limits.minBalance);
        expect(facts.fee).toBeLessThanOrEqual(limits.fee);
        if (limits.stopLoss !== undefined && facts.profit < 0n)
          expect(-facts.profit).toBeLessThan(limits.stopLoss);
      }),
    );
  });

  it("is nothing only where one more base unit than it leaves would break something", () => {
    fc.assert(
      fc.property(anyLimits, anyFacts, (limits, facts) => {
        const answer = allowance({ ...limits, stopLoss: undefined, fee: facts.fee }, facts);
        const left = [
          facts.balance - facts.fee - limits.minBalance,
          ...(limits.stakePerBounty === undefined ? [] : [limits.stakePerBounty]),
          ...(limits.stakePerHour === undefined ? [] : [limits.stakePerHour - facts.stakedLastHour]),
          ...(limits.atRisk === undefined ? [] : [limits.atRisk - facts.atRisk]),
        ].toSorted((a, b) => Number(a - b))[0]!;
        if (answer.kind === "stake") expect(answer.most).toBe(left);
        else expect(left).toBeLessThan(facts.bidMinimum > 0n ? facts.bidMinimum : 1n);
      }),
    );
  });

  it("names the flags and variables as they are", () => {
    const { maxBid, maxStakePerBounty, maxStakePerHour, maxAtRisk, minBalance, maxFee } = producerSettings;
    const zero = nct(0n);
    const details = (limits: Partial<Limits>) => {
      const answer = allowance({ ...none, ...limits }, rich);
      return answer.kind === "nothing" ? answer.detail : "";
    };
    expect(details({ bid: zero })).toContain(settingName(maxBid));
    expect(details({ stakePerBounty: zero })).toContain(settingName(maxStakePerBounty));
    expect(details({ stakePerHour: zero })).toContain(settingName(maxStakePerHour));
    expect(details({ atRisk: zero })).toContain(settingName(maxAtRisk));
    expect(details({ minBalance: rich.balance })).toContain(settingName(minBalance));
    expect(details({ fee: zero })).toContain(settingName(maxFee));
  });
});

import { expect, it } from "vitest";
import { allowance } from "../../src/bid/limits.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { readSettings, settingName } from "../../src/config/values/settings.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { describeStakeLimit, parseStakeLimit } from "../../src/domain/stake-limit.ts";
import { refuseUnknownRegistry } from "../../src/market/onchain/chain/registry-trust.ts";
import { type Deployment, standingOf } from "../../src/market/onchain/port/deployment.ts";
import { describeLimits, limitsOf } from "../../src/producer/funds/limiter.ts";

const registry = parseAddress("0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE");
const other = parseAddress("0xD3690df12C09F3301A2dB3A6EC630DB5c9569038");
const real = { chainId: 4242n, registry };
const known: Deployment[] = [
  { community: "gamma", chain: "side", ...real, source: "https://example.org/addresses" },
];

it("a marketplace that only its gateway speaks for is refused in capitals, with the word that it wants", () => {
  expect(() => refuseUnknownRegistry("side", real, [])).toThrow(
    expect.objectContaining({
      code: "REGISTRY_UNKNOWN",
      message: expect.stringMatching(
        /^NOTHING IS STAKED ON A MARKETPLACE THAT IS NOT KNOWN: .*0x5AEDA5.*4242/,
      ),
      hint: expect.stringContaining(`--trust-registry ${registry}`),
    }),
  );
  expect(() => refuseUnknownRegistry("side", real, [other])).toThrow();
  expect(settingName(producerSettings.trustRegistry)).toContain("TRUST_REGISTRY");
});

it("a marketplace is worked with that is published, was named by the operator, or lies on a test chain", () => {
  expect(() => refuseUnknownRegistry("side", real, [registry])).not.toThrow();
  expect(() => refuseUnknownRegistry("side", real, [], known)).not.toThrow();
  expect(() => refuseUnknownRegistry("side", { chainId: 1338n, registry }, [])).not.toThrow();
  expect(standingOf("side", real, [], known)).toBe("known");
});

it("a published registry speaks for its own chain and chain id alone", () => {
  expect(standingOf("home", real, [], known)).toBe("unknown");
  expect(standingOf("side", { ...real, chainId: 1n }, [], known)).toBe("unknown");
  expect(standingOf("side", { ...real, registry: other }, [], known)).toBe("unknown");
});

it("a limit is an amount or a share of the wallet, and is told in the same words", () => {
  expect(parseStakeLimit("0.5")).toBe(nct(ONE_NCT / 2n));
  expect(parseStakeLimit("10%")).toEqual({ percent: 10 });
  expect(describeStakeLimit(parseStakeLimit("100 %"))).toBe("100% of the wallet");
  for (const wrong of ["0%", "101%", "1.5%", "ten", "-1", ""])
    expect(() => parseStakeLimit(wrong), wrong).toThrow(RangeError);
});

it("there are ceilings where the operator sets none, and the start tells each of them", () => {
  const machine = { cpus: 1, terminal: false };
  const read = (flags: Record<string, string>) => {
    const given = { "polyswarmd-addr": "https://gateway.example", ...flags };
    return limitsOf(readSettings(producerSettings, { flags: given, env: {}, machine }));
  };
  expect(describeLimits(read({}))).toEqual({
    perArtifact: "1 NCT",
    perBounty: "10% of the wallet",
    perHour: "none",
    atRisk: "50% of the wallet",
    leftInWallet: "0 NCT",
    fee: "1 NCT",
    stopLoss: "none",
  });
  const chosen = read({ "max-bid": "0.5", "max-stake-per-bounty": "3", "max-at-risk": "80%" });
  expect(describeLimits(chosen)).toMatchObject({
    perArtifact: "0.5 NCT",
    perBounty: "3 NCT",
    atRisk: "80% of the wallet",
  });
});

it("a gateway that lies about registry and maximum gets no more out of 1,000 NCT than the ceilings, by default", () => {
  const machine = { cpus: 1, terminal: false };
  const flags = { "polyswarmd-addr": "https://gateway.example" };
  const limits = limitsOf(readSettings(producerSettings, { flags, env: {}, machine }));
  let [balance, atRisk] = [1_000n * ONE_NCT, 0n];
  for (let bounty = 0; bounty < 100; bounty++) {
    const facts = { stakedLastHour: nct(0n), profit: 0n, fee: nct(0n), bidMinimum: nct(ONE_NCT / 16n) };
    const allowed = allowance(limits, {
      ...facts,
      balance: nct(balance),
      atRisk: nct(atRisk),
      atRiskHere: nct(atRisk),
    });
    if (allowed.kind === "nothing") break;
    expect(allowed.mostPerArtifact).toBe(ONE_NCT);
    expect(allowed.most).toBeLessThanOrEqual(100n * ONE_NCT);
    balance -= allowed.most;
    atRisk += allowed.most;
  }
  expect(atRisk).toBe(500n * ONE_NCT);
});

import type { BidArtifact, BidRequest } from "../../src/bid/contract.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";
import { ppm } from "../../src/domain/verdict.ts";

export const bidArtifact = (changes: Partial<BidArtifact> = {}): BidArtifact => ({
  index: 0,
  verdict: "malicious",
  confidence: ppm(1),
  interval: [ppm(0.5), ppm(1)],
  family: "",
  ...changes,
});

/** A bounty of ten artifacts on a market with the default limits, and a full purse. */
export const bidRequest = (changes: Partial<BidRequest> = {}): BidRequest => ({
  guid: parseGuid("00000000-0000-0000-0000-000000000001"),
  market: "side",
  artifacts: [bidArtifact()],
  artifactCount: 10,
  reward: nct(2n * ONE_NCT),
  bidMinimum: parseNct("0.0625"),
  bidMaximum: parseNct("1"),
  assertionFee: parseNct("0.03125"),
  rivals: [],
  balance: nct(1_000n * ONE_NCT),
  atRisk: nct(0n),
  ...changes,
});

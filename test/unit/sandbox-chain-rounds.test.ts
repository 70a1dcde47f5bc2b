import { describe, expect, it } from "vitest";

import type { Address } from "../../src/domain/address.ts";
import type { Guid } from "../../src/domain/guid.ts";
import { type OpenBounty, roundOf } from "../../src/sandbox/players/bounties-on-chain.ts";

const bounty = (quorum: boolean): OpenBounty => ({
  guid: "00000000-0000-0000-0000-000000000001" as Guid,
  author: "0x0000000000000000000000000000000000000001" as Address,
  kind: "file",
  uri: "Qm",
  artifactCount: 1,
  expiration: 1020,
  quorum,
});

describe("the round that a player counts with", () => {
  const windows = { reveal: 10, vote: 100 };

  it.each([
    [1019, "assert", "assert"],
    [1020, "reveal", "reveal"],
    [1029, "reveal", "reveal"],
    [1030, "vote", "quorum"],
    [1129, "vote", "quorum"],
    [1130, "over", "over"],
  ])("in block %i is %s, or %s once the votes decide", (block, without, withQuorum) => {
    expect(roundOf(bounty(false), block, windows)).toBe(without);
    expect(roundOf(bounty(true), block, windows)).toBe(withQuorum);
  });
});

import { describe, expect, it } from "vitest";

import type { Address } from "../../src/domain/address.ts";
import { Fault } from "../../src/domain/fault.ts";
import type { Guid } from "../../src/domain/guid.ts";
import { RevertFault } from "../../src/sandbox/chain/abi.ts";
import type { FollowedBounties, OpenBounty } from "../../src/sandbox/players/bounties-on-chain.ts";
import { once, player } from "../../src/sandbox/players/player.ts";
import { quiet } from "../fixtures/contracts/street.ts";

const bounty = (name: string): OpenBounty => ({
  guid: name as Guid,
  author: "0x0000000000000000000000000000000000000001" as Address,
  kind: "file",
  uri: "Qm",
  artifactCount: 1,
  expiration: 10,
  quorum: false,
});
const followedOf = (...open: OpenBounty[]): FollowedBounties => ({
  advance: async () => undefined,
  open: () => open,
  round: () => "assert",
});

describe("a player", () => {
  it("takes one step of a bounty at a time, while other bounties go on", async () => {
    const [slow, quick] = [bounty("slow"), bounty("quick")];
    const gate = Promise.withResolvers<void>();
    const steps: string[] = [];
    const someone = player("arbiter", followedOf(slow, quick), quiet, async ({ guid }) => {
      steps.push(guid);
      if (guid === slow.guid) await gate.promise;
    });
    const first = someone.onBlock(1);
    await someone.onBlock(2);
    await someone.onBlock(3);
    expect(steps).toEqual(["slow", "quick", "quick"]);
    gate.resolve();
    await first;
    await someone.onBlock(4);
    expect(steps.filter((guid) => guid === "slow")).toHaveLength(2);
  });

  it("tries a failed step again with the next block, and never rejects", async () => {
    let failures = 0;
    const someone = player("arbiter", followedOf(bounty("a")), quiet, async () => {
      failures++;
      throw new Error("no luck");
    });
    await someone.onBlock(1);
    await someone.onBlock(2);
    expect(failures).toBe(2);
  });

  it("does nothing about a block that it cannot read", async () => {
    const blind = { ...followedOf(bounty("a")), advance: () => Promise.reject(new Error("no chain")) };
    let steps = 0;
    await player("arbiter", blind, quiet, async () => void steps++).onBlock(1);
    expect(steps).toBe(0);
  });
});

describe("what the contract allows once", () => {
  it("counts as done when it was done before, and fails for any other reason", async () => {
    const settled = () => Promise.reject(new RevertFault("settleBounty", "Sender already settled"));
    await expect(once("Sender already settled", settled)).resolves.toBeUndefined();
    await expect(once("Arbiter has already voted", settled)).rejects.toThrow(RevertFault);
    const lost = () => Promise.reject(new Fault("TRANSACTION_LOST", "Sender already settled"));
    await expect(once("Sender already settled", lost)).rejects.toThrow(Fault);
  });
});

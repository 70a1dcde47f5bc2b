import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBits } from "../../src/domain/bits.ts";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import type { DecodedLog } from "../../src/sandbox/chain/chain.ts";
import { memoryStore } from "../../src/sandbox/content/store.ts";
import { pathPatterns } from "../../src/sandbox/gateway/path-patterns.ts";
import { frameOf } from "../../src/sandbox/gateway/routes/event-stream.ts";
import { pendingNonces } from "../../src/sandbox/gateway/routes/nonces.ts";
import { tellEvents } from "../../src/sandbox/gateway/routes/receipts.ts";
import { paddedFlags } from "../../src/sandbox/gateway/shared/flags.ts";
import { renderNodeError } from "../../src/sandbox/gateway/shared/node-error.ts";

const EXPERT = "0x63046FD3FBCe76196914C3021B30c09CEB2f4F03";
const GUID = 80330234067865764159686112168623574687n;
const log = (event: string, args: object, contract: DecodedLog["contract"] = "registry"): DecodedLog => ({
  contract,
  event,
  args: args as DecodedLog["args"],
  blockNumber: 1040,
  transactionHash: `0x${"9a".repeat(32)}`,
  logIndex: 0,
});

describe("flags", () => {
  it("are padded to the artifact count and never lose a bit beyond it", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.integer({ min: 1, max: 256 }),
        (bits, count) => {
          const flags = paddedFlags(bits, count);
          expect(flags.length).toBeGreaterThanOrEqual(count);
          expect(packBits(flags)).toBe(bits);
          if (flags.length > count) expect(flags.at(-1)).toBe(true);
        },
      ),
    );
  });
});

describe("frames", () => {
  const store = memoryStore();

  it("tell a payout beyond 2^64 as a bare integer, digit by digit", () => {
    const payout = 5424999999999999997n + 2n ** 64n;
    const [frame] = frameOf(
      { store },
      log("SettledBounty", { bountyGuid: GUID, settler: EXPERT.toLowerCase(), payout }),
    );
    expect(stringifyJson(frame)).toBe(
      `{"event":"settled_bounty","data":{"bounty_guid":"3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f","settler":"${EXPERT}",` +
        `"payout":${payout}},"block_number":1040,"txhash":"0x${"9a".repeat(32)}"}`,
    );
    expect(parseJson(stringifyJson(frame))).toMatchObject({ data: { payout } });
  });

  it("are not made of the token's and the staking contract's events, nor of unknown ones", () => {
    const transfer = { from: EXPERT, to: EXPERT, value: 1n };
    expect(frameOf({ store }, log("Transfer", transfer, "token"))).toEqual([]);
    expect(frameOf({ store }, log("NewDeposit", { from: EXPERT, value: 1n }, "staking"))).toEqual([]);
    expect(frameOf({ store }, log("Paused", { account: EXPERT }))).toEqual([]);
    expect(frameOf({ store }, log("constructor", {}))).toEqual([]);
  });

  it("leave a vote without a word on the bloom filter and a mask padded", () => {
    const [vote] = frameOf(
      { store },
      log("NewVote", { bountyGuid: GUID, votes: 1n, numArtifacts: 3n, voter: EXPERT }),
    );
    expect(vote!.data).toEqual({
      bounty_guid: "3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f",
      voter: EXPERT,
      votes: [true, false, false],
    });
  });
});

describe("receipts", () => {
  it("tell the first event of each type, transfers as strings and deposits as integers", () => {
    const value = 10_000_000n * 10n ** 18n;
    const transfer = { from: EXPERT, to: EXPERT, value };
    const logs = [
      log("Transfer", transfer, "token"),
      log("Transfer", { ...transfer, value: 1n }, "token"),
      log("NewDeposit", { from: EXPERT, value }, "staking"),
      log("SettledBounty", { bountyGuid: GUID, settler: EXPERT, payout: 1n }),
    ];
    expect(Object.fromEntries(tellEvents(logs))).toEqual({
      transfers: { from: EXPERT, to: EXPERT, value: value.toString() },
      deposits: { from: EXPERT, value },
    });
  });
});

describe("a node's refusal", () => {
  it("is written as Python writes a dictionary, with the words that clients look for", () => {
    expect(renderNodeError("nonce too low", "0xab")).toBe("{'code': -32000, 'message': 'nonce too low'}");
    expect(renderNodeError("it's late", "0xab")).toBe(`{'code': -32000, 'message': "it's late"}`);
    expect(renderNodeError(`it's "late"`, "0xab")).toBe(`{'code': -32000, 'message': 'it\\'s "late"'}`);
    expect(renderNodeError("transaction already imported", "0xab")).toBe(
      "{'code': -32000, 'message': 'known transaction: 0xab'}",
    );
  });
});

describe("the pool", () => {
  it("is merged over pending and queued, and has nothing for an address that is not in checksum form", () => {
    const content = {
      pending: { [EXPERT.toLowerCase()]: { "3": {}, "4": {} }, "0xother": { "9": {} } },
      queued: { [EXPERT]: { "7": {} } },
    };
    expect(pendingNonces(content, EXPERT)).toEqual(["3", "4", "7"]);
    expect(pendingNonces(content, EXPERT.toLowerCase())).toEqual([]);
  });
});

describe("path patterns", () => {
  it("know the router's paths from others, parameters and their expressions included", () => {
    const patterns = pathPatterns();
    patterns.add("/bounties/:guid(^[0-9a-f]{4}$)/votes/:index(^\\d+$)");
    patterns.add("/artifacts/:uri");
    expect(patterns.match("/bounties/12ab/votes/7")).toBe(true);
    expect(patterns.match("/artifacts/Qm")).toBe(true);
    for (const path of [
      "/bounties/12ax/votes/7",
      "/bounties/12ab/votes/x",
      "/artifacts/Qm/1",
      "/artifacts",
    ]) {
      expect(patterns.match(path)).toBe(false);
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/json/json.ts";
import { readFrame } from "../../src/market/onchain/stream/event-frames.ts";

const guid = "3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f";
const author = "0x63046FD3FBCe76196914C3021B30c09CEB2f4F03";

/** The examples of the protocol, as they come over the wire. */
const EXAMPLES: [string, string, object][] = [
  ["connected", `{"start_time":"1588861234.771203"}`, { name: "connected" }],
  ["block", `{"number":1004}`, { name: "block", number: 1004 }],
  [
    "bounty",
    `{"guid":"${guid}","artifact_type":"file","author":"${author}","amount":"5000000000000000000","uri":"QmYN","expiration":"1020","metadata":[{"filename":"a.exe","filesize":"73802","mimetype":"application\\/x-dosexec"}]}`,
    {
      name: "bounty",
      notice: {
        guid,
        kind: "file",
        author,
        amount: 5000000000000000000n,
        uri: "QmYN",
        expiration: 1020,
        postedIn: 1000,
      },
    },
  ],
  [
    "assertion",
    `{"bounty_guid":"${guid}","author":"${author}","index":0,"bid":["1000000000000000000","500000000000000000"],"mask":[true,true],"commitment":"98027666108851067441586630711424741192895764493624852482156164231288054866503"}`,
    {
      name: "assertion",
      notice: {
        guid,
        author,
        index: 0,
        bids: [1000000000000000000n, 500000000000000000n],
        mask: 3n,
        commitment: 98027666108851067441586630711424741192895764493624852482156164231288054866503n,
      },
    },
  ],
  [
    "reveal",
    `{"bounty_guid":"${guid}","author":"${author}","index":0,"nonce":"39273648092955245775213020396586084778909172448983638072247084908784670042379","verdicts":[true,false],"metadata":"x"}`,
    { name: "reveal", guid, author, index: 0 },
  ],
  [
    "vote",
    `{"bounty_guid":"${guid}","voter":"${author}","votes":[true,false]}`,
    { name: "vote", guid, voter: author },
  ],
  ["quorum", `{"bounty_guid":"${guid}"}`, { name: "quorum", guid }],
  [
    "settled_bounty",
    `{"bounty_guid":"${guid}","settler":"${author}","payout":5424999999999999997}`,
    { name: "settled_bounty", guid, settler: author, payout: 5424999999999999997n },
  ],
  [
    "fee_update",
    `{"bounty_fee":62500000000000001,"assertion_fee":31250000000000003}`,
    { name: "fee_update", bountyFee: 62500000000000001n, assertionFee: 31250000000000003n },
  ],
  [
    "window_update",
    `{"assertion_reveal_window":12,"arbiter_vote_window":90}`,
    { name: "window_update", revealWindow: 12, voteWindow: 90 },
  ],
  ["deprecated", `{"rollover":false}`, { name: "deprecated", rollover: false, since: 1000 }],
  ["undeprecated", `{}`, { name: "undeprecated" }],
];

describe("an event frame", () => {
  it.each(EXAMPLES)("of %s is read as the protocol writes it", (event, data, heard) => {
    const frame = readFrame(
      parseJson(`{"event":"${event}","data":${data},"block_number":1000,"txhash":"0xAB"}`),
    );
    expect(frame).toMatchObject({ kind: "heard", heard });
    if (frame.kind === "heard") expect(frame.heard).toEqual(heard);
  });

  it("without a transaction has no key, and with one the same key however it is written", () => {
    const frame = (txhash?: string) => readFrame({ event: "quorum", data: { bounty_guid: guid }, txhash });
    expect(frame()).toMatchObject({ key: undefined });
    expect(frame("0xAB")).toEqual(frame("ab"));
    expect(frame("0xAB")).not.toEqual(frame("0xAC"));
  });

  it("accepts GUIDs of any version", () => {
    const frame = readFrame({
      event: "quorum",
      data: { bounty_guid: "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF" },
    });
    expect(frame).toMatchObject({ heard: { guid: "ffffffff-ffff-ffff-ffff-ffffffffffff" } });
  });

  it("never throws, whatever it is", () => {
    const names = fc.oneof(fc.string(), ...EXAMPLES.map(([name]) => fc.constant(name)));
    const anything = fc.record({
      event: names,
      data: fc.anything(),
      block_number: fc.anything(),
      txhash: fc.anything(),
    });
    fc.assert(
      fc.property(fc.oneof(anything, fc.anything()), (message) => {
        expect(["heard", "unknown", "invalid"]).toContain(readFrame(message).kind);
      }),
      { numRuns: 1_000 },
    );
  });
});

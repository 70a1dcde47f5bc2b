import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import {
  contractsChanged,
  pinAccount,
  pinsOf,
  refuseAmbiguousPins,
  settlePins,
  storePins,
} from "../../src/market/onchain/chain/pins.ts";
import { aBounty, aPlan } from "../fixtures/bounties.ts";

const clock = { now: () => instant(1_000) };
const account = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const another = parseAddress("0xD3690df12C09F3301A2dB3A6EC630DB5c9569038");
const nothing = { chainId: undefined, registryAddr: undefined, tokenAddr: undefined };
const registry = parseAddress("0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE");
const token = parseAddress("0x8CF7a766FEcD29c8Baf0da7023c788d2F747200D");
const found = { chainId: 1337n, registry };

function promise(ledger: Ledger): void {
  const bounty = aBounty();
  ledger.see(bounty);
  ledger.advance(bounty, "distilled");
  ledger.planAssertion(bounty, aPlan());
}

it("a ledger is refused to another account than the one that asserted, which alone can reveal its stakes", () => {
  using ledger = openLedger(":memory:", clock);
  pinAccount("side", account, ledger);
  promise(ledger);
  expect(() => pinAccount("side", parseAddress(account.toLowerCase()), ledger)).not.toThrow();
  expect(() => pinAccount("side", another, ledger)).toThrow(
    expect.objectContaining({ code: "WALLET_CHANGED", message: expect.stringContaining(account) }),
  );
});

it("a ledger in which nothing was promised takes another account: the first keyfile was the wrong one", () => {
  using ledger = openLedger(":memory:", clock);
  pinAccount("side", account, ledger);
  ledger.see(aBounty());
  pinAccount("side", another, ledger);
  promise(ledger);
  expect(() => pinAccount("side", account, ledger)).toThrow(
    expect.objectContaining({ code: "WALLET_CHANGED", message: expect.stringContaining(another) }),
  );
  expect(() => pinAccount("home", account, ledger)).not.toThrow();
});

it("the contracts of several chains cannot be configured by the name of one", () => {
  const one = { ...nothing, registryAddr: registry };
  expect(() => refuseAmbiguousPins({ ...nothing, chains: ["side", "home"] })).not.toThrow();
  expect(() => refuseAmbiguousPins({ ...one, chains: ["home"] })).not.toThrow();
  expect(() => refuseAmbiguousPins({ ...one, chains: ["side", "home"] })).toThrow(
    expect.objectContaining({ name: "ConfigFault", code: "PINS_AMBIGUOUS" }),
  );
});

describe("the marketplace of a ledger", () => {
  it("is the one its gateway works with at the first start, pinned before anything is planned", () => {
    using ledger = openLedger(":memory:", clock);
    expect(settlePins("side", pinsOf("side", nothing, ledger), found, ledger)).toEqual({
      ...found,
      token: undefined,
    });
    expect(pinsOf("side", nothing, ledger)).toEqual({ ...found, token: undefined });
    storePins("side", { token }, ledger);
    expect(pinsOf("side", nothing, ledger)).toEqual({ ...found, token });
    expect(pinsOf("home", nothing, ledger)).toEqual({
      chainId: undefined,
      registry: undefined,
      token: undefined,
    });
  });

  it("is the same however its addresses are written", () => {
    using ledger = openLedger(":memory:", clock);
    promise(ledger);
    storePins("side", found, ledger);
    const plain = parseAddress(registry.toLowerCase());
    const pins = pinsOf("side", { ...nothing, registryAddr: plain }, ledger);
    expect(settlePins("side", pins, found, ledger)).toEqual({ ...found, token: undefined });
  });

  it.each([
    ["registry", { chainId: 1337n, registry: another }, [another, registry]],
    ["chain id", { chainId: 1n, registry }, ["chain id 1 instead of 1337"]],
  ])("is not left for another %s that the gateway works with, pinned or configured", (_, theirs, named) => {
    using ledger = openLedger(":memory:", clock);
    storePins("side", found, ledger);
    const refusal = expect.objectContaining({ name: "ConfigFault", code: "CONTRACTS_CHANGED" });
    expect(() => settlePins("side", pinsOf("side", nothing, ledger), theirs, ledger)).toThrow(refusal);
    using fresh = openLedger(":memory:", clock);
    const configured = pinsOf("side", { ...nothing, chainId: 1337n, registryAddr: registry }, fresh);
    expect(() => settlePins("side", configured, theirs, fresh)).toThrow(refusal);
    expect(fresh.pin("side", "registry")).toBeUndefined();
    for (const word of named) expect(contractsChanged("side", found, theirs)?.message).toContain(word);
  });

  it("is not configured away from under what was promised", () => {
    using ledger = openLedger(":memory:", clock);
    storePins("side", { ...found, token }, ledger);
    promise(ledger);
    for (const moved of [{ chainId: 1n }, { registryAddr: another }, { tokenAddr: another }]) {
      expect(() => pinsOf("side", { ...nothing, ...moved }, ledger)).toThrow(
        expect.objectContaining({ name: "ConfigFault", code: "PIN_CHANGED" }),
      );
    }
    expect(() =>
      pinsOf("side", { chainId: 1337n, registryAddr: registry, tokenAddr: token }, ledger),
    ).not.toThrow();
  });

  it("may be configured anew once nothing is promised, and what was noted of the old one is forgotten", () => {
    using ledger = openLedger(":memory:", clock);
    pinAccount("side", account, ledger);
    storePins("side", { ...found, token }, ledger);
    ledger.setNote("side", "deprecated", "3000");
    ledger.setNote("side", "examined", "100000");
    promise(ledger);
    ledger.abandon(aBounty(), "too-late");
    const moved = pinsOf("side", { ...nothing, registryAddr: another }, ledger);
    // The new market may have a token of its own: it is learnt again.
    expect(moved).toEqual({ chainId: 1337n, registry: another, token: undefined });
    expect(ledger.pin("side", "registry")).toBe(registry);
    settlePins("side", moved, { ...found, registry: another }, ledger);
    expect(pinsOf("side", nothing, ledger)).toEqual(moved);
    expect(ledger.pin("side", "account")).toBe(account);
    expect([ledger.note("side", "deprecated"), ledger.note("side", "examined")]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

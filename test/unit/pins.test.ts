import { expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { instant } from "../../src/domain/chain.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import { pinAccount, pinsOf, storePins } from "../../src/producer/pins.ts";

const clock = { now: () => instant(1_000) };
const account = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const another = parseAddress("0xD3690df12C09F3301A2dB3A6EC630DB5c9569038");
const nothing = { chainId: undefined, registryAddr: undefined, tokenAddr: undefined };

it("a ledger is refused to another account than the one that began it, which alone can reveal its stakes", () => {
  using ledger = openLedger(":memory:", clock);
  pinAccount("side", account, ledger);
  expect(() => pinAccount("side", parseAddress(account.toLowerCase()), ledger)).not.toThrow();
  expect(() => pinAccount("side", another, ledger)).toThrow(
    expect.objectContaining({ code: "WALLET_CHANGED", message: expect.stringContaining(account) }),
  );
});

it("what the operator configured comes before what the ledger learnt", () => {
  using ledger = openLedger(":memory:", clock);
  storePins("side", { chainId: 5n, registry: account }, ledger);
  expect(pinsOf("side", nothing, ledger)).toEqual({ chainId: 5n, registry: account, token: undefined });
  expect(pinsOf("side", { ...nothing, registryAddr: another }, ledger).registry).toBe(another);
});

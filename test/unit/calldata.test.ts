import fc from "fast-check";
import { expect, it } from "vitest";
import { eth } from "web3";
import { parseAddress } from "../../src/domain/address.ts";
import { guidToUint, uintToGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import { callsFor, encodeCall } from "../../src/wallet/calldata.ts";
import type { Action } from "../../src/wallet/transaction.ts";

const registry = parseAddress(`0x${"5a".repeat(20)}`);

const call = (name: string, types: readonly string[], values: readonly unknown[]): string =>
  eth.abi.encodeFunctionSignature(`${name}(${types.join(",")})`) +
  eth.abi.encodeParameters([...types], [...values]).slice(2);

/** The same calls by web3's encoder. */
function byWeb3(action: Action): readonly string[] {
  const id = guidToUint(action.guid);
  if (action.kind === "settle") return [call("settleBounty", ["uint128"], [id])];
  if (action.kind === "reveal") {
    const { index, nonce, verdicts, metadata } = action;
    const types = ["uint128", "uint256", "uint256", "uint256", "string"];
    return [call("revealAssertion", types, [id, index, nonce, verdicts, metadata])];
  }
  const { bids, mask, commitment, fee } = action;
  const amount = bids.reduce<bigint>((sum, bid) => sum + bid, fee);
  return [
    call("approve", ["address", "uint256"], [registry, amount]),
    call("postAssertion", ["uint128", "uint256[]", "uint256", "uint256"], [id, bids, mask, commitment]),
  ];
}

const word = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const guid = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(uintToGuid);
const amount = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(nct);
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("assert" as const),
    guid,
    bids: fc.array(amount, { minLength: 1, maxLength: 8 }),
    mask: word,
    commitment: word,
    fee: amount,
  }),
  fc.record({
    kind: fc.constant("reveal" as const),
    guid,
    index: fc.nat(),
    nonce: word,
    verdicts: word,
    metadata: fc.string({ unit: "binary", maxLength: 100 }),
  }),
  fc.record({ kind: fc.constant("settle" as const), guid }),
);

it("what an action stands for is encoded as web3 encodes it, byte for byte", () => {
  fc.assert(
    fc.property(anyAction, (action) => {
      expect(callsFor(action, registry).map(encodeCall)).toEqual(byWeb3(action));
    }),
  );
});

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type AbiFragment, type AbiFunctionFragment, eth } from "web3";

import { guidToUint, parseGuid } from "../../src/domain/guid.ts";
import { encodeAbiCall, encodeDeployment } from "../../src/sandbox/chain/abi.ts";
import { CONTRACT_NAMES, loadContracts } from "../../src/sandbox/chain/contracts.ts";

interface Published {
  readonly functions: Record<string, { selector: string; returns: string; view: boolean }>;
  readonly events: Record<string, { topic: string; parameters: string }>;
}

const contracts = await loadContracts();
const published = JSON.parse(
  await readFile(new URL("../fixtures/contracts/published-abi.json", import.meta.url), "utf8"),
) as Record<(typeof CONTRACT_NAMES)[number], Published>;

const typesOf = (inputs: readonly { readonly type: string }[] = []): string =>
  inputs.map(({ type }) => type).join(",");
const isFunction = (item: AbiFragment): item is AbiFunctionFragment => item.type === "function";

describe.each(CONTRACT_NAMES)("our %s, beside the published one", (name) => {
  const functions = contracts[name].abi.filter(isFunction);
  const events = contracts[name].abi.filter((item) => item.type === "event");

  it("answers every published selector, with the same kind of call and the same return types", () => {
    const ours = Object.fromEntries(
      functions.map((fragment) => [
        `${fragment.name}(${typesOf(fragment.inputs)})`,
        {
          selector: eth.abi.encodeFunctionSignature(fragment).slice(2),
          returns: typesOf(fragment.outputs),
          view: fragment.stateMutability !== "nonpayable",
        },
      ]),
    );
    for (const [signature, theirs] of Object.entries(published[name].functions)) {
      const returns = theirs.returns
        .split(",")
        .map((item) => item.trim().split(" ")[0])
        .join(",");
      expect(ours, signature).toMatchObject({ [signature]: { ...theirs, returns } });
    }
  });

  it("logs every published event under the same topic, with the same names in the same order", () => {
    const ours = Object.fromEntries(
      events.map((fragment) => {
        const inputs = "inputs" in fragment ? (fragment.inputs ?? []) : [];
        const parameters = inputs.map((input) => `${input.indexed ? "*" : ""}${input.name}`).join(", ");
        return [
          `${"name" in fragment ? fragment.name : ""}(${typesOf(inputs)})`,
          { topic: eth.abi.encodeEventSignature(fragment as never), parameters },
        ];
      }),
    );
    expect(ours).toEqual(published[name].events);
  });
});

describe("a constructor", () => {
  it("that takes other arguments than the market gives is refused by the contract's name", () => {
    expect(() => encodeDeployment("ArbiterStaking", contracts.ArbiterStaking, [1n])).toThrow(
      "The constructor of ArbiterStaking takes 2 arguments instead of 1.",
    );
  });
});

describe("the encoded examples of the protocol", () => {
  const guid = guidToUint(parseGuid("3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f"));
  const cid = "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6";
  const cidWords = [
    "000000000000000000000000000000000000000000000000000000000000002e",
    "516d594e6d514b7036537561567270675752735054674351436e707855594771",
    "373659454b4258756a324e344836000000000000000000000000000000000000",
  ];
  const guidWord = "000000000000000000000000000000003c6f0a529d414b7e8f102a5b6c7d8e9f";
  const word = (value: bigint): string => value.toString(16).padStart(64, "0");
  const registry = "0x00000000000000000000000000000000000b0717";
  const commitment = 41858823515709770275456305386038469104272066898356396537577255862292579792862n;

  it.each([
    {
      contract: "NectarToken",
      fn: "approve",
      args: [registry, 1562500000000000000n],
      expected: [
        "095ea7b3",
        word(0xb0717n),
        "00000000000000000000000000000000000000000000000015af1d78b58c4000",
      ],
    },
    {
      contract: "BountyRegistry",
      fn: "postAssertion",
      args: [guid, [1000000000000000000n, 531250000000000000n], 5n, commitment],
      expected: [
        ...["ea11731e", guidWord, word(0x80n), word(5n)],
        "5c8b41287339b8ddca5448c721c5816bb949dd42584d5726d93245f2b6a6b7de",
        ...[word(2n), word(0xde0b6b3a7640000n), word(0x75f610f70ed2000n)],
      ],
    },
    {
      contract: "BountyRegistry",
      fn: "revealAssertion",
      args: [guid, 4n, 1n, 5n, cid],
      expected: ["f8f32de6", guidWord, word(4n), word(1n), word(5n), word(0xa0n), ...cidWords],
    },
    {
      contract: "BountyRegistry",
      fn: "voteOnBounty",
      args: [guid, 5n, true],
      expected: ["27028aae", guidWord, word(5n), word(1n)],
    },
    { contract: "BountyRegistry", fn: "settleBounty", args: [guid], expected: ["5592d687", guidWord] },
    {
      contract: "BountyRegistry",
      fn: "postBounty",
      args: [guid, 0n, 2000000000000000000n, cid, 1n, 20n, [0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n], ""],
      expected: [
        ...["b2e366a8", guidWord, word(0n), word(0x1bc16d674ec80000n), word(0x1e0n), word(1n), word(0x14n)],
        ...Array.from({ length: 7 }, () => word(0n)),
        ...[word(1n), word(0x240n), ...cidWords, word(0n)],
      ],
    },
  ] as const)("$fn comes out byte for byte", ({ contract, fn, args, expected }) => {
    expect(encodeAbiCall(contracts[contract].abi, fn, args)).toBe(`0x${expected.join("")}`);
  });
});

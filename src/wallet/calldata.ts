import type { Address } from "../domain/address.ts";
import { guidToUint } from "../domain/guid.ts";
import type { Action } from "./transaction.ts";

/**
 * The calls an action stands for, as ABI words with the names of what they hold. Encoding what we want and comparing
 * bytes leaves a hostile encoder no room: odd offsets, dirty high bits and trailing bytes all differ.
 * Source: function signatures and encoded examples of the contracts.
 */

interface Word {
  readonly name: string;
  /** 64 lower-case hex digits. */
  readonly hex: string;
}

export interface Call {
  readonly name: string;
  readonly recipient: "token" | "registry";
  /** 8 lower-case hex digits. */
  readonly selector: string;
  readonly words: readonly Word[];
}

/** The calls for `action`, in order. `registry` is who may spend the approved amount. */
export function callsFor(action: Action, registry: Address): readonly Call[] {
  switch (action.kind) {
    case "assert":
      return [approval(action, registry), postAssertion(action)];
    case "reveal":
      return [revealAssertion(action)];
    case "settle":
      return [
        {
          name: "settleBounty",
          recipient: "registry",
          selector: "5592d687",
          words: [uint("guid", guidToUint(action.guid))],
        },
      ];
  }
}

/** `0x`, selector, words. */
export const encodeCall = (call: Call): string =>
  `0x${call.selector}${call.words.map((word) => word.hex).join("")}`;

type Assert = Extract<Action, { kind: "assert" }>;
type Reveal = Extract<Action, { kind: "reveal" }>;

function approval(action: Assert, registry: Address): Call {
  const amount = action.bids.reduce<bigint>((sum, bid) => sum + bid, action.fee);
  return {
    name: "approve",
    recipient: "token",
    selector: "095ea7b3",
    words: [uint("spender", BigInt(registry)), uint("amount", amount)],
  };
}

function postAssertion(action: Assert): Call {
  return {
    name: "postAssertion",
    recipient: "registry",
    selector: "ea11731e",
    words: [
      uint("guid", guidToUint(action.guid)),
      uint("offset of bid", 0x80n),
      uint("mask", action.mask),
      uint("commitment", action.commitment),
      uint("number of bids", BigInt(action.bids.length)),
      ...action.bids.map((bid, index) => uint(`bid[${index}]`, bid)),
    ],
  };
}

function revealAssertion(action: Reveal): Call {
  const text = Buffer.from(action.metadata, "utf8");
  const padded = text.toString("hex").padEnd(Math.ceil(text.length / 32) * 64, "0");
  return {
    name: "revealAssertion",
    recipient: "registry",
    selector: "f8f32de6",
    words: [
      uint("guid", guidToUint(action.guid)),
      uint("index", BigInt(action.index)),
      uint("nonce", action.nonce),
      uint("verdicts", action.verdicts),
      uint("offset of metadata", 0xa0n),
      uint("length of metadata", BigInt(text.length)),
      ...(padded.match(/.{64}/g) ?? []).map((hex, index) => ({ name: `metadata word ${index}`, hex })),
    ],
  };
}

/** Throws RangeError for what does not fit an unsigned 256-bit word. */
function uint(name: string, value: bigint): Word {
  if (value < 0n || value >= 1n << 256n) throw new RangeError(`${name} ${value} does not fit a uint256`);
  return { name, hex: value.toString(16).padStart(64, "0") };
}

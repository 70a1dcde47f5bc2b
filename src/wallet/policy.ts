import { type Address, isAddress, sameAddress } from "../domain/address.ts";
import { Fault } from "../domain/fault.ts";
import { type Call, callsFor, encodeCall } from "./calldata.ts";
import type { Action, UnsignedTransaction } from "./transaction.ts";

/**
 * The marketplace that this wallet signs for. What is configured or was pinned earlier must be met exactly; what is
 * not known yet must be consistent within the transactions, and is then learnt.
 */
export interface Pins {
  readonly chainId?: bigint | undefined;
  readonly registry?: Address | undefined;
  readonly token?: Address | undefined;
}

export interface SigningPolicy {
  readonly pins: Pins;
  /** Highest gas limit signed; what is asked for beyond it is signed with this. */
  readonly gasCap: bigint;
  /** Highest gas price signed, in wei. */
  readonly gasPriceCap: bigint;
}

/** 50,000,000 is what a gateway asks for on a free chain; a side chain's gas costs nothing. */
export const SIDE_CHAIN_POLICY: SigningPolicy = { pins: {}, gasCap: 50_000_000n, gasPriceCap: 0n };

/** Less than any transaction costs: it could only fail, and a failed reveal loses the stake. */
const GAS_FLOOR = 21_000n;

/**
 * Compares unsigned transactions field by field with what was asked for and returns the pins, completed by what these
 * transactions teach. Throws Fault TRANSACTION_REFUSED naming everything that differed. The nonce is not looked at: it
 * is ours to choose.
 */
export function checkTransactions(
  action: Action,
  transactions: readonly UnsignedTransaction[],
  policy: SigningPolicy,
): Pins {
  const pins = complete(action, transactions, policy.pins);
  const calls = callsFor(action, pins.registry ?? ZERO_ADDRESS);
  if (transactions.length !== calls.length) {
    refuse(action, [`it is ${transactions.length} transactions instead of ${calls.length}`]);
  }
  const differences = calls.flatMap((call, index) =>
    differencesOf(transactions[index]!, call, pins, policy).map((text) => `${call.name}: ${text}`),
  );
  if (pins.token !== undefined && pins.registry !== undefined && sameAddress(pins.token, pins.registry)) {
    differences.push("token and registry are the same contract");
  }
  if (differences.length > 0) refuse(action, differences);
  return pins;
}

/**
 * The same with no more gas than the cap. A gateway asks for the block's own limit where it does not know better, which
 * is more on some chains (94,040,201 and 100,000,000 were seen), and the limit changes nothing that a transaction does:
 * to refuse it would cost a reveal a block.
 */
export const withinGasCap = (
  transaction: UnsignedTransaction,
  { gasCap }: Pick<SigningPolicy, "gasCap">,
): UnsignedTransaction => (transaction.gas > gasCap ? { ...transaction, gas: gasCap } : transaction);

const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000" as Address;

/** Fills the gaps of the pins from the transactions, so that all of them must agree with the first. */
function complete(action: Action, transactions: readonly UnsignedTransaction[], pins: Pins): Pins {
  const call = transactions.at(-1);
  const approval = action.kind === "assert" ? transactions[0] : undefined;
  return {
    chainId: pins.chainId ?? call?.chainId,
    registry: pins.registry ?? usable(call?.to),
    token: pins.token ?? usable(approval?.to),
  };
}

const usable = (address: Address | undefined): Address | undefined =>
  address !== undefined && isAddress(address) && !sameAddress(address, ZERO_ADDRESS) ? address : undefined;

function differencesOf(
  transaction: UnsignedTransaction,
  call: Call,
  pins: Pins,
  policy: SigningPolicy,
): string[] {
  const { to, value, chainId, gas, gasPrice } = transaction;
  const recipient = call.recipient === "token" ? pins.token : pins.registry;
  const differences: string[] = [];
  if (recipient === undefined || !isAddress(to) || !sameAddress(to, recipient)) {
    differences.push(`recipient is ${to} instead of the ${call.recipient} ${recipient ?? "(unknown)"}`);
  }
  if (value !== 0n) differences.push(`value is ${value} instead of 0`);
  if (chainId !== pins.chainId || chainId <= 0n) {
    differences.push(`chain id is ${chainId} instead of ${pins.chainId}`);
  }
  if (gas < GAS_FLOOR) differences.push(`gas limit ${gas} is too low for any transaction`);
  if (gasPrice < 0n || gasPrice > policy.gasPriceCap) {
    differences.push(`gas price ${gasPrice} is above ${policy.gasPriceCap}`);
  }
  const difference = dataDifference(transaction.data, call);
  return difference === undefined ? differences : [...differences, difference];
}

/** The first place where the call data is not what we would have written, in words. */
function dataDifference(data: string, call: Call): string | undefined {
  const found = data.toLowerCase();
  const wanted = encodeCall(call);
  if (found === wanted) return undefined;
  if (!/^0x([0-9a-f]{2})*$/.test(found)) return "call data is not hex";
  if (found.slice(2, 10) !== call.selector) return `selector is ${found.slice(2, 10)}, not ${call.selector}`;
  const words = found.slice(10).match(/.{1,64}/g) ?? [];
  const at = call.words.findIndex((word, index) => words[index] !== word.hex);
  const word = call.words[at];
  if (word === undefined) return `${(found.length - wanted.length) / 2} bytes trail the arguments`;
  const hex = words[at];
  if (hex?.length !== 64) return `call data ends before ${word.name}`;
  return `${word.name} is ${readable(word.name, hex)} instead of ${readable(word.name, word.hex)}`;
}

const readable = (name: string, hex: string): string =>
  /spender|metadata word|nonce|commitment|guid/.test(name) ? `0x${hex}` : BigInt(`0x${hex}`).toString();

function refuse(action: Action, differences: readonly string[]): never {
  throw new Fault(
    "TRANSACTION_REFUSED",
    `Refused to sign the ${action.kind} of bounty ${action.guid}: ${differences.join("; ")}.`,
    { hint: "The gateway handed over a transaction that does something else than what was asked for." },
  );
}

import {
  type AbiConstructorFragment,
  type AbiEventFragment,
  type AbiFragment,
  type AbiFunctionFragment,
  eth,
} from "web3";

import { ConfigFault, Fault } from "../../domain/fault.ts";

/** The words of the ABI: calls, what they return, what they log, and why they revert. Integers are bigint. */

export type EventArgs = Readonly<Record<string, unknown>>;

/** Throws a Fault when the contract has no such function. */
export function encodeAbiCall(abi: readonly AbiFragment[], fn: string, args: readonly unknown[]): string {
  return eth.abi.encodeFunctionCall(functionNamed(abi, fn), [...args]);
}

/** Creation code followed by the constructor's arguments. Throws a ConfigFault when it takes others. */
export function encodeDeployment(
  name: string,
  { abi, bytecode }: { readonly abi: readonly AbiFragment[]; readonly bytecode: string },
  args: readonly unknown[],
): string {
  const inputs = [...(abi.find(isConstructor)?.inputs ?? [])];
  if (inputs.length !== args.length) {
    const sentence = `The constructor of ${name} takes ${inputs.length} arguments instead of ${args.length}.`;
    throw new ConfigFault("CONTRACT_MISMATCH", sentence);
  }
  return bytecode + eth.abi.encodeParameters(inputs, [...args]).slice("0x".length);
}

/** The return values in order. */
export function decodeReturn(abi: readonly AbiFragment[], fn: string, data: string): readonly unknown[] {
  const outputs = [...(functionNamed(abi, fn).outputs ?? [])];
  if (outputs.length === 0) return [];
  const decoded = eth.abi.decodeParameters(outputs, data);
  return outputs.map((_, index) => decoded[String(index)]);
}

/** `undefined` for an event that the ABI does not know. */
export function decodeEvent(
  abi: readonly AbiFragment[],
  topics: readonly string[],
  data: string,
): { readonly event: string; readonly args: EventArgs } | undefined {
  const fragment = abi.filter(isEvent).find((item) => topicOf(item) === topics[0]);
  if (fragment?.name === undefined) return undefined;
  const inputs = [...(fragment.inputs ?? [])];
  const decoded = eth.abi.decodeLog(inputs, data, topics.slice(1));
  return { event: fragment.name, args: Object.fromEntries(inputs.map(({ name }) => [name, decoded[name]])) };
}

/** A call or transaction that the contract refused. */
export class RevertFault extends Fault {
  /** The contract's text; empty when it gave none; `invalid opcode` or `panic N` for what burns or breaks. */
  readonly reason: string;

  constructor(what: string, reason: string) {
    super("TRANSACTION_REVERTED", `${what} reverted: ${reason === "" ? "no reason given" : reason}.`);
    this.name = "RevertFault";
    this.reason = reason;
  }
}

const ERROR_STRING = "0x08c379a0";
const PANIC = "0x4e487b71";

/** What a reverted call says: its return data and the node's own words for how it ended. */
export function revertReason(data: string | undefined, ending: string): string {
  if (/invalid(FE)?\s?opcode/i.test(ending)) return "invalid opcode";
  if (data?.startsWith(ERROR_STRING) === true) {
    return String(eth.abi.decodeParameter("string", `0x${data.slice(ERROR_STRING.length)}`));
  }
  if (data?.startsWith(PANIC) === true) return `panic ${BigInt(`0x${data.slice(PANIC.length)}`)}`;
  return "";
}

function functionNamed(abi: readonly AbiFragment[], name: string): AbiFunctionFragment {
  const found = abi.filter(isFunction).find((item) => item.name === name);
  if (found === undefined)
    throw new Fault("CONTRACT_LACKS_FUNCTION", `The contract has no function ${name}.`);
  return found;
}

const isConstructor = (item: AbiFragment): item is AbiConstructorFragment => item.type === "constructor";
const isFunction = (item: AbiFragment): item is AbiFunctionFragment => item.type === "function";
const isEvent = (item: AbiFragment): item is AbiEventFragment => item.type === "event";

const topics = new WeakMap<AbiEventFragment, string>();
/** Hashing every event of the ABI for every log would dominate decoding. */
function topicOf(fragment: AbiEventFragment): string {
  const topic = topics.get(fragment) ?? eth.abi.encodeEventSignature(fragment);
  topics.set(fragment, topic);
  return topic;
}

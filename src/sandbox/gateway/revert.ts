import { eth } from "web3";
import { z } from "zod";
import type { Chain } from "../chain.ts";

/** Selector of `Error(string)`, which a contract puts before its reason. */
const ERROR_STRING = "0x08c379a0";

const Trace = z.object({ error: z.string().optional(), output: z.string().optional() });

/** Why a mined transaction reverted, in the contract's words, from a trace of it. Rejects when the node cannot trace. */
export async function revertReason(chain: Chain, hash: string): Promise<string> {
  const trace = Trace.parse(await chain.rpc("debug_traceTransaction", [hash, { tracer: "callTracer" }]));
  if (trace.error === undefined) return "Transaction receipt indicates failure but trace succeeded";
  return decodeReason(trace.output ?? "0x");
}

/** A revert without a reason string (allowance too low, paused, not an arbiter) cannot be told apart. */
export function decodeReason(output: string): string {
  if (!output.startsWith(ERROR_STRING)) return "Invalid revert encoding";
  try {
    return z.string().parse(eth.abi.decodeParameter("string", `0x${output.slice(ERROR_STRING.length)}`));
  } catch {
    return "Invalid revert encoding";
  }
}

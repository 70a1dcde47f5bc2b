import { RpcFault } from "../../chain/rpc.ts";

/** Nodes use this code for whatever they refuse about a transaction. */
const REFUSED = -32000;

/** What the node said of a call it refused, in its own words. */
export function nodeMessageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown instanceof RpcFault ? thrown.message.replace(/^The node refused \w+: /, "") : thrown.message;
}

/** The node's refusal in the words that clients of the gateway know, written as Python writes a dictionary. */
export function renderNodeError(said: string, hash: string): string {
  const message = /already imported|already known/i.test(said) ? `known transaction: ${hash}` : said;
  return `{'code': ${REFUSED}, 'message': ${quote(message)}}`;
}

function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  if (!escaped.includes("'")) return `'${escaped}'`;
  return escaped.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}

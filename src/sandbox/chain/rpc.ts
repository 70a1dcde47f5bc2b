import { Agent, request } from "undici";

import { Fault } from "../../domain/fault.ts";
import { parseJson, stringifyJson } from "../../json/json.ts";

/** The node refused a call. `data` is what a reverting call gave back, when the node says so. */
export class RpcFault extends Fault {
  readonly data: string | undefined;

  constructor(method: string, error: { readonly message?: unknown; readonly data?: unknown }) {
    super("RPC_REFUSED", `The node refused ${method}: ${String(error.message)}`);
    this.name = "RpcFault";
    this.data = typeof error.data === "string" ? error.data : undefined;
  }
}

/** JSON-RPC over HTTP with kept connections. Integers beyond 2^53 come back as bigint. */
export interface Rpc extends AsyncDisposable {
  readonly url: string;
  /** Throws RpcFault when the node answers with an error, a retryable Fault RPC_UNREACHABLE when it does not answer. */
  call(method: string, params?: readonly unknown[]): Promise<unknown>;
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly message?: unknown; readonly data?: unknown };
}

export function openRpc(url: string): Rpc {
  const dispatcher = new Agent({ connections: 16, keepAliveTimeout: 30_000 });
  let id = 0;
  return {
    url,
    async call(method, params = []) {
      const answer = await post(url, dispatcher, { jsonrpc: "2.0", id: ++id, method, params });
      if (answer.error !== undefined) throw new RpcFault(method, answer.error);
      return answer.result ?? null;
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

async function post(url: string, dispatcher: Agent, body: unknown): Promise<RpcAnswer> {
  try {
    const response = await request(url, {
      dispatcher,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stringifyJson(body),
    });
    return parseJson(await response.body.text()) as RpcAnswer;
  } catch (cause) {
    throw new Fault("RPC_UNREACHABLE", `The chain at ${url} does not answer.`, { cause, retryable: true });
  }
}

import { EventEmitter, on, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eth } from "web3";
import { type WebSocket, WebSocketServer } from "ws";
import { parseAddress } from "../../src/domain/address.ts";
import { packBits } from "../../src/domain/bits.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import { callsFor, encodeCall } from "../../src/wallet/calldata.ts";
import type { Action } from "../../src/wallet/transaction.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
  /** Port of the connection it came by. */
  readonly from: number | undefined;
}

/** What a gateway may do with a request besides answering `{status: OK, result}`. */
export type Deed =
  | { readonly status: number; readonly text: string; readonly headers?: Record<string, string> }
  | { readonly result: unknown }
  | "reset"
  | "hang"
  | "endless";
type Handler = (asked: Asked) => Deed | Promise<Deed>;

export const registry = parseAddress("0x00000000000000000000000000000000000b0717");
export const token = parseAddress("0x00000000000000000000000000000000000000c7");
export const PARAMETERS = {
  bounty_fee: 62500000000000001n,
  assertion_fee: 31250000000000003n,
  bounty_amount_minimum: 2000000000000000000n,
  assertion_bid_minimum: 62500000000000001n,
  assertion_bid_maximum: 1000000000000000001n,
  arbiter_lookback_range: 100,
  max_duration: 100,
  assertion_reveal_window: 10,
  arbiter_vote_window: 100,
};

/**
 * A polyswarmd without a chain behind it, honest until a test tells it otherwise: every route can be answered by a
 * handler, for a number of times or for good.
 */
export class OddGateway implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Raw transactions in the order in which they arrived, accepted or not. */
  readonly posted: string[] = [];
  readonly mined = new Set<string>();
  readonly #arrivals = new EventEmitter();
  readonly #handlers = new Map<string, Handler[]>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #websockets = new WebSocketServer({ server: this.#server });
  fee = PARAMETERS.assertion_fee;
  /** Our account's transaction count, pending ones included. */
  nonce = 0n;
  /** The newest block, for those who ask. */
  head = 100;

  static async open(): Promise<OddGateway> {
    const gateway = new OddGateway();
    gateway.#websockets.on("connection", (socket) =>
      socket.send(Buffer.from(`{"event":"connected","data":{"start_time":"1.5"}}`)),
    );
    gateway.#server.listen(0, "127.0.0.1");
    await once(gateway.#server, "listening");
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/default`;
  }

  /** Answers `route` ("GET /nonce") with these deeds in turn; the last one stays. */
  on(route: string, ...deeds: (Handler | Deed)[]): void {
    this.#handlers.set(
      route,
      deeds.map((deed) => (typeof deed === "function" ? deed : () => deed)),
    );
  }

  /** ... once each, and honestly again afterwards. */
  once(route: string, ...deeds: (Handler | Deed)[]): void {
    this.on(route, ...deeds, (asked) => this.#honest(asked));
  }

  requests(route: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === route);
  }

  /** Resolves once such a request has come. */
  async arrival(route: string): Promise<void> {
    for await (const [came] of on(this.#arrivals, "arrival")) if (came === route) return;
  }

  /** Resolves once somebody hangs up in the middle of an endless answer. */
  async abandoned(): Promise<void> {
    await once(this.#arrivals, "abandoned");
  }

  /** The next time somebody connects to the event stream. */
  async connection(): Promise<WebSocket> {
    const [socket] = (await once(this.#websockets, "connection")) as [WebSocket];
    return socket;
  }

  say(event: string, data: unknown, more: object = {}): void {
    this.sayRaw(Buffer.from(stringifyJson({ event, data, ...more })));
  }

  sayRaw(frame: Buffer | string): void {
    for (const socket of this.#websockets.clients) socket.send(frame);
  }

  hangUp(): void {
    for (const socket of this.#websockets.clients) socket.terminate();
  }

  /** Like a proxy that knows nothing of websockets. */
  refuseStreams(): void {
    this.#websockets.shouldHandle = () => false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://odd");
    let text = "";
    for await (const chunk of request) text += chunk;
    const path = url.pathname.replace(/^\/v1\/default/, "");
    const { method = "", headers } = request;
    const asked: Asked = {
      from: request.socket.remotePort,
      method,
      path,
      query: url.searchParams,
      headers,
      body: text === "" ? undefined : parseJson(text),
    };
    this.asked.push(asked);
    this.#arrivals.emit("arrival", `${method} ${path}`);
    const queue = this.#handlers.get(`${method} ${path}`) ?? [];
    const handler = queue.length > 1 ? queue.shift() : queue[0];
    const deed = await (handler ?? ((it: Asked) => this.#honest(it)))(asked);
    if (deed === "hang") return;
    if (deed === "reset") {
      request.socket.destroy();
      return;
    }
    if (deed === "endless") {
      const pour = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", pour).once("close", () => this.#arrivals.emit("abandoned"));
      pour();
      return;
    }
    if ("result" in deed) {
      response.setHeader("content-type", "application/json");
      response.end(stringifyJson({ status: "OK", result: deed.result }));
      return;
    }
    response.writeHead(deed.status, deed.headers ?? {}).end(deed.text);
  }

  #honest(asked: Asked): Deed {
    const { method, path } = asked;
    const [, guid, action] = /^\/bounties\/([0-9a-f-]{36})\/(.*)$/.exec(path) ?? [];
    if (method === "GET" && path === "/bounties/parameters") {
      return { result: { ...PARAMETERS, assertion_fee: this.fee } };
    }
    if (path === "/status")
      return { result: { side: { reachable: true, syncing: false, block: this.head } } };
    if (path === "/nonce") return { result: Number(this.nonce) };
    if (path === "/pending") return { result: [] };
    if (method === "POST" && path === "/transactions") return this.#accept(asked);
    if (method === "GET" && path === "/transactions") return this.#receipts(asked);
    if (method === "POST" && guid !== undefined && action !== undefined) return this.build(asked);
    if (method === "GET" && action === "assertions") return { result: [] };
    return refusal(404, { message: "The requested URL was not found on the server." });
  }

  /** Unsigned transactions that do what the body asks for, at the present fee. */
  build(asked: Asked, change: (transactions: Built[]) => Built[] = (same) => same): Deed {
    const action = actionOf(asked, this.fee);
    const transactions = callsFor(action, registry).map(
      (call): Built => ({
        nonce: 0,
        chainId: 1337,
        gas: 50_000_000,
        gasPrice: 0,
        value: 0,
        to: call.recipient === "token" ? token : registry,
        data: encodeCall(call),
      }),
    );
    return { result: { transactions: change(transactions) } };
  }

  #accept({ body }: Asked): Deed {
    const { transactions } = body as { transactions: string[] };
    const hashes = transactions.map((raw) => this.take(raw));
    return { result: hashes.map((message) => ({ is_error: false, message })) };
  }

  /** Into the chain with it; returns the hash. */
  take(raw: string): string {
    this.posted.push(raw);
    const hash = Buffer.from(transactionOf(raw).hash()).toString("hex");
    this.mined.add(hash);
    return `0x${hash}`;
  }

  #receipts({ body }: Asked): Deed {
    const { transactions } = body as { transactions: string[] };
    const late = transactions.map((hash) => hash.replace("0x", "")).filter((hash) => !this.mined.has(hash));
    const errors = late.map((hash) => `transaction ${hash}: timeout during wait for receipt`);
    return errors.length === 0
      ? { result: { errors } }
      : refusal(400, { status: "FAIL", errors: { errors } });
  }
}

export interface Built {
  nonce: number;
  chainId: number;
  gas: number;
  gasPrice: number;
  value: number;
  to: string;
  data: string;
}

export const refusal = (status: number, body: object): Deed => ({ status, text: JSON.stringify(body) });

export const transactionOf = (raw: string) =>
  eth.accounts.Transaction.fromSerializedTx(Buffer.from(raw, "hex"), {
    common: eth.accounts.Common.custom({ chainId: 1337, networkId: 1337 }, { hardfork: "petersburg" }),
  });

function actionOf({ path, body }: Asked, fee: bigint): Action {
  const [, , text = "", , index = "0", reveal] = path.split("/");
  const guid = parseGuid(text);
  if (path.endsWith("/settle")) return { kind: "settle", guid };
  const fields = body as Record<string, string> & { bid: string[]; mask: boolean[]; verdicts: boolean[] };
  if (reveal !== undefined) {
    const { nonce = "", metadata = "", verdicts } = fields;
    return {
      kind: "reveal",
      guid,
      index: Number(index),
      nonce: BigInt(nonce),
      verdicts: packBits(verdicts),
      metadata,
    };
  }
  const bids = fields.bid.map((bid) => nct(BigInt(bid)));
  const commitment = BigInt(fields.commitment ?? "");
  return { kind: "assert", guid, bids, mask: packBits(fields.mask), commitment, fee: nct(fee) };
}

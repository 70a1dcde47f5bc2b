import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { stringifyJson } from "../../../json/json.ts";
import type { DecodedLog } from "../../chain/chain.ts";
import { followHead } from "../../chain/head.ts";
import type { GatewayContext } from "../shared/context.ts";
import { STREAMED, shapeEvent } from "../shared/event-shape.ts";
import { AssertionMetadata, BountyMetadata } from "../shared/metadata-schema.ts";
import { substituteMetadata } from "../shared/substitution.ts";

interface Frame {
  readonly event: string;
  readonly data: object;
  readonly block_number?: number;
  readonly txhash?: string;
}

interface EventStreamOptions {
  /** How often the chain is asked for news. */
  readonly pollMs: number;
  readonly startedAtMs: number;
  /** The request's path within the gateway, without base path and trailing slashes. */
  readonly pathOf: (url: string) => string;
}

/**
 * The websocket `/events?chain=side`: `connected` first, then a live stream of blocks and contract events in binary
 * frames. No history, no replay; whatever a client sends is ignored. Runs until `gateway.closing` aborts. Resolves when
 * the first client listens.
 */
export function serveEvents(
  server: Server,
  gateway: GatewayContext,
  options: EventStreamOptions,
): Promise<void> {
  const heard = Promise.withResolvers<void>();
  const sockets = new WebSocketServer({ noServer: true });
  const listeners = new Set<WebSocket>();
  server.on("upgrade", (request, socket: Duplex, head) => {
    const url = request.url ?? "/";
    const chain = new URLSearchParams(url.split("?")[1]).get("chain") ?? "side";
    if (options.pathOf(url) !== "/events") return refuse(socket, "404 Not Found");
    if (chain !== "side" && chain !== "home") return refuse(socket, "400 Bad Request");
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => client.terminate());
      send(client, { event: "connected", data: { start_time: (options.startedAtMs / 1000).toFixed(6) } });
      // Nothing ever happens on the home chain, which the sandbox lacks.
      if (chain === "home") return;
      listeners.add(client);
      heard.resolve();
      client.once("close", () => listeners.delete(client));
    });
  });

  const broadcast = (frame: Frame): void => {
    const bytes = encode(frame);
    for (const client of listeners) client.send(bytes, { binary: true });
  };
  const tell = (entry: DecodedLog): void => {
    try {
      for (const frame of frameOf(gateway, entry)) broadcast(frame);
    } catch (error) {
      // One event that contracts of another make tell differently must not silence the others.
      gateway.log.warn({ err: error, event: entry.event }, "gateway.event.unreadable");
    }
  };
  gateway.closing.addEventListener("abort", () => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
  const { chain, closing: signal, log } = gateway;
  void followHead(chain, { pollMs: options.pollMs, signal, log }, async (head, before) => {
    const logs = await chain.logs(before + 1, head);
    // Each new block gets its message, and all of them carry the newest number.
    for (let block = before; block < head; block++) broadcast({ event: "block", data: { number: head } });
    for (const entry of logs) tell(entry);
  });
  return heard.promise;
}

/** The frame of a contract event; none for events the stream does not carry. */
export function frameOf({ store }: Pick<GatewayContext, "store">, log: DecodedLog): Frame[] {
  if (log.contract !== "registry" || !isStreamed(log.event)) return [];
  const event = STREAMED[log.event];
  const data = shapeEvent(log.event, log.args);
  const schema = event === "bounty" ? BountyMetadata : event === "reveal" ? AssertionMetadata : undefined;
  if (schema !== undefined) data.metadata = substituteMetadata(store, String(data.metadata), schema);
  return [{ event, data, block_number: log.blockNumber, txhash: log.transactionHash }];
}

const isStreamed = (name: string): name is keyof typeof STREAMED => Object.hasOwn(STREAMED, name);

const encode = (frame: Frame): Buffer => Buffer.from(stringifyJson(frame));

const send = (client: WebSocket, frame: Frame): void => client.send(encode(frame), { binary: true });

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

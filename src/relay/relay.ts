/**
 * A forward proxy for those who may reach a few places only: tunnels by CONNECT, and plain requests with an absolute URL. It
 * looks into neither; what it is asked for is compared, byte for byte, with what is allowed, and then connected to by that name.
 */

import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { timeoutSignal } from "../async/long-timer.ts";
import { describeError } from "../domain/fault.ts";
import { proxyAuthorization, proxyFor } from "../http/proxy.ts";
import { openTunnel } from "../http/tunnel.ts";
import type { Logger } from "../observe/log.ts";
import { type Destination, destinationIn, destinationOf } from "./destinations.ts";

interface RelayOptions {
  readonly allowed: ReadonlySet<Destination>;
  /** Says what proxy the relay itself goes through. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly host: string;
  readonly port: number;
}

export interface Relay extends AsyncDisposable {
  readonly port: number;
}

const CONNECT_MS = 10_000;
/** A connection on which nothing is said for so long is dropped; a gateway's answer may take a while. */
const SILENCE_MS = 120_000;
const MAX_CONNECTIONS = 4_096;
/** Of one hop, not of the message: RFC 9110, 7.6.1. */
const HOP_BY_HOP = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

export async function openRelay(options: RelayOptions): Promise<Relay> {
  const { host, port } = options;
  const sockets = new Set<Duplex>();
  const server = createServer({ requestTimeout: 0 });
  server.maxConnections = MAX_CONNECTIONS;
  const keep: Keep = (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };

  server.on("connection", keep);
  server.on("request", (incoming, response) => forward(incoming, response, options));
  server.on("connect", ({ url = "" }, socket, head) => {
    void tunnel({ url, near: keep(socket), head }, { ...options, keep });
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** Remembers a connection until it closes: the end of the relay closes those that are open. */
type Keep = <S extends Duplex>(socket: S) => S;

interface TunnelRequest {
  readonly url: string;
  readonly near: Duplex;
  /** What the client has sent already, behind its request. */
  readonly head: Buffer;
}

type Terms = Pick<RelayOptions, "allowed" | "env" | "log">;

async function tunnel(
  { url, near, head }: TunnelRequest,
  { allowed, env, log, keep }: Terms & { readonly keep: Keep },
): Promise<void> {
  const destination = destinationIn(url);
  if (destination === undefined || !allowed.has(destination)) {
    logRefusal(url, log);
    near.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n");
    return;
  }
  try {
    const far = keep(await reach(destination, env));
    far.setTimeout(SILENCE_MS, () => far.destroy());
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
    near.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    far.write(head);
    near.pipe(far).pipe(near);
  } catch (error) {
    log.warn({ destination, reason: describeError(error) }, "relay.unreachable");
    near.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n");
  }
}

function forward(incoming: IncomingMessage, response: ServerResponse, { allowed, env, log }: Terms): void {
  // A health check of the relay itself.
  if (incoming.url === "/healthz") return void response.end("ok");
  const url = URL.parse(incoming.url ?? "");
  const destination = url?.protocol === "http:" ? destinationOf(url) : undefined;
  if (url === null || destination === undefined || !allowed.has(destination)) {
    logRefusal(incoming.url ?? "", log);
    response.writeHead(403).end();
    return;
  }
  const onward = request(onwardRequest(incoming, url, env), (answer) => {
    response.writeHead(answer.statusCode ?? 502, onwardHeaders(answer.headers));
    answer.pipe(response);
    answer.once("error", () => response.destroy());
  });
  onward.once("timeout", () => onward.destroy(new Error("nothing was answered in time")));
  onward.once("error", (error) => {
    log.warn({ destination, reason: describeError(error) }, "relay.unreachable");
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  response.once("close", () => onward.destroy());
  incoming.pipe(onward);
}

const logRefusal = (destination: string, log: Logger): void =>
  log.warn({ destination: destination.slice(0, 200) }, "relay.refused");

async function reach(destination: Destination, env: RelayOptions["env"]): Promise<Socket> {
  const { hostname, port } = new URL(`tcp://${destination}`);
  const target = { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
  const proxy = proxyFor(new URL(`https://${destination}`), env);
  if (proxy !== undefined) return openTunnel(proxy, { ...target, tls: false }, CONNECT_MS);
  const socket = connect(target);
  try {
    await once(socket, "connect", { signal: timeoutSignal(CONNECT_MS) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

function onwardRequest(
  { method, headers }: IncomingMessage,
  url: URL,
  env: RelayOptions["env"],
): RequestOptions {
  const proxy = proxyFor(url, env);
  const next = proxy === undefined ? url : new URL(proxy.url);
  return {
    method,
    host: next.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: next.port || 80,
    path: proxy === undefined ? `${url.pathname}${url.search}` : url.href,
    headers: { ...onwardHeaders(headers), host: url.host, ...(proxy && proxyAuthorization(proxy)) },
    timeout: SILENCE_MS,
  };
}

const onwardHeaders = (headers: IncomingMessage["headers"]): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.test(name)));

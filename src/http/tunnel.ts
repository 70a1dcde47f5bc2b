/** A connection through a proxy by CONNECT, for what is no plain request: a websocket. */

import { once } from "node:events";
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { timeoutSignal } from "../async/long-timer.ts";
import { describeProxy, type HttpProxy, proxyAuthorization } from "./proxy.ts";

interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  /** TLS is spoken with the target, within the tunnel; its certificate is checked. */
  readonly tls: boolean;
}

/** Resolves once bytes can be sent to the target. Throws Error, in words that name the proxy when it is to blame. */
export async function openTunnel(proxy: HttpProxy, target: TunnelTarget, timeoutMs: number): Promise<Socket> {
  const signal = timeoutSignal(timeoutMs);
  const socket = await connectThrough(proxy, target, signal);
  if (!target.tls) return socket;
  const secured = tlsConnect({
    socket,
    host: target.host,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
  });
  try {
    await once(secured, "secureConnect", { signal });
  } catch (error) {
    secured.destroy();
    throw error;
  }
  return secured;
}

async function connectThrough(proxy: HttpProxy, target: TunnelTarget, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = new URL(proxy.url);
  const name = target.host.includes(":") ? `[${target.host}]` : target.host;
  const authority = `${name}:${target.port}`;
  const options: RequestOptions = {
    method: "CONNECT",
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port || (protocol === "https:" ? 443 : 80),
    path: authority,
    headers: { host: authority, ...proxyAuthorization(proxy) },
    agent: false,
    signal,
  };
  const asked = protocol === "https:" ? httpsRequest(options) : httpRequest(options);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const at = describeProxy(proxy);
  asked.once("connect", ({ statusCode }, socket, head) => {
    if (statusCode !== 200) {
      socket.destroy();
      reject(new Error(`the proxy ${at} opens no way to ${authority} (HTTP ${statusCode})`));
      return;
    }
    // The next reader gets what came with the answer.
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  // A proxy that takes CONNECT for any other request.
  asked.once("response", (response) => {
    response.destroy();
    reject(new Error(`the proxy ${at} opens no way to ${authority} (HTTP ${response.statusCode})`));
  });
  asked.once("error", (cause: NodeJS.ErrnoException) => {
    const why = signal.aborted ? "it does not answer in time" : (cause.code ?? cause.message);
    reject(new Error(`the proxy ${at} cannot be used (${why})`, { cause }));
  });
  asked.end();
  return promise;
}

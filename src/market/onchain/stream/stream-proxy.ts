import type { Socket } from "node:net";
import type { ClientOptions } from "ws";
import type { HttpProxy } from "../../../http/proxy.ts";
import { openTunnel } from "../../../http/tunnel.ts";

/** What a websocket to this URL needs to go through a proxy; `timeoutMs` is for the way to the gateway alone. */
export function throughProxy(proxy: HttpProxy, url: string, timeoutMs: number): ClientOptions {
  const { protocol, hostname, port } = new URL(url);
  const tls = protocol === "wss:";
  const target = {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || (tls ? 443 : 80)),
    tls,
  };
  const createConnection = (
    _options: unknown,
    done: (error: Error | null, socket?: Socket) => void,
  ): undefined => {
    openTunnel(proxy, target, timeoutMs).then((socket) => done(null, socket), done);
  };
  // The types know only connections that are there at once; Node's HTTP client takes those that come later as well.
  return { createConnection: createConnection as unknown as NonNullable<ClientOptions["createConnection"]> };
}

import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

/** For `localhost` and 127.0.0.1, signed by itself: who trusts it trusts the servers below. */
export const CERTIFICATE = readFileSync(new URL("../fixtures/self-signed.pem", import.meta.url), "utf8");

/** What a server does with its `visit`th request (from 1). */
export type Answer = (response: ServerResponse, visit: number, request: IncomingMessage) => void;

export const body =
  (text: string | Uint8Array): Answer =>
  (response) =>
    response.writeHead(200).end(text);

export const leadTo =
  (location: string, status = 302): Answer =>
  (response) =>
    response.writeHead(status, { location }).end();

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A real https server that knows what was asked of it, and how often it was connected to. */
export class UrlServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  connections = 0;
  /** By path. */
  readonly pages = new Map<string, Answer>();
  readonly #server = createServer({ key: CERTIFICATE, cert: CERTIFICATE }, (request, response) => {
    const path = request.url ?? "";
    this.asked.push({ path, headers: request.headers });
    const visit = this.asked.filter((earlier) => earlier.path === path).length;
    const page = this.pages.get(path);
    if (page === undefined) response.writeHead(410).end();
    else page(response, visit, request);
  });

  static async start(
    pages: Readonly<Record<string, Answer>>,
    host = "127.0.0.1",
    port = 0,
  ): Promise<UrlServer> {
    const started = new UrlServer();
    for (const [path, page] of Object.entries(pages)) started.pages.set(path, page);
    started.#server.on("connection", () => started.connections++);
    started.#server.listen(port, host);
    await once(started.#server, "listening");
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string, host = "127.0.0.1"): string {
    return `https://${host}:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

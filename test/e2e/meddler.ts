import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** What is said instead of the gateway's own answer. */
export interface Nonsense {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What comes down the websocket in place of a frame of the gateway's: itself, nothing, or more. */
export type Meddle = (frame: Buffer) => readonly (Buffer | string)[];

interface Spoiled {
  readonly route: RegExp;
  readonly with: Nonsense;
  readonly times: "once" | "always";
}

/** Stands between an engine and a gateway, and is honest until a test tells it otherwise. */
export class Meddler implements AsyncDisposable {
  readonly #gateway: URL;
  readonly #server = createServer((asked, answer) => this.#answer(asked, answer));
  readonly #listeners = new WebSocketServer({ server: this.#server });
  readonly #spoiled: Spoiled[] = [];
  meddle: Meddle = (frame) => [frame];

  constructor(gateway: string) {
    this.#gateway = new URL(gateway);
  }

  static async open(gateway: string): Promise<Meddler> {
    const meddler = new Meddler(gateway);
    meddler.#listeners.on("connection", (socket, { url }) => meddler.#relay(socket, url ?? "/"));
    meddler.#server.listen(0, "127.0.0.1");
    await once(meddler.#server, "listening");
    return meddler;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#gateway.pathname}`.replace(/\/$/, "");
  }

  /** Answers the next request that fits ("GET /bounties/..."), or every one, with nonsense. */
  spoil(route: RegExp, nonsense: Nonsense, times: Spoiled["times"] = "once"): void {
    this.#spoiled.push({ route, with: nonsense, times });
  }

  /** Routes that were to be spoiled once and were never asked for. */
  unasked(): readonly RegExp[] {
    return this.#spoiled.filter(({ times }) => times === "once").map(({ route }) => route);
  }

  say(frame: Buffer | string): void {
    for (const socket of this.#listeners.clients) socket.send(frame);
  }

  hangUp(): void {
    for (const socket of this.#listeners.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #relay(socket: WebSocket, path: string): void {
    const upstream = new WebSocket(new URL(path, this.#gateway.href.replace(/^http/, "ws")));
    upstream.on("message", (data) => {
      for (const frame of this.meddle(data as Buffer)) socket.send(frame);
    });
    for (const [end, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      end.on("error", () => end.terminate());
      end.on("close", () => other.terminate());
    }
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    const spoiled = this.#spoiled.find(({ route }) => route.test(`${asked.method} ${asked.url}`));
    if (spoiled !== undefined) {
      if (spoiled.times === "once") this.#spoiled.splice(this.#spoiled.indexOf(spoiled), 1);
      asked.resume();
      answer.writeHead(spoiled.with.status, spoiled.with.headers).end(spoiled.with.text);
      return;
    }
    const { method, headers, url = "/" } = asked;
    const forwarded = request(new URL(url, this.#gateway), { method, headers }, (truth) => {
      answer.writeHead(truth.statusCode ?? 502, truth.headers);
      truth.pipe(answer);
    });
    forwarded.on("error", () => answer.destroy());
    asked.pipe(forwarded);
  }
}

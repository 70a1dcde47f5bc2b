import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { parseJson, stringifyJson } from "../../src/json/json.ts";

/** What is said instead of the gateway's own answer. */
export interface Nonsense {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** No answer: the connection is closed in the middle of one, or kept open without a word. */
export type Silence = "cut" | "hang";

/** What comes down the websocket in place of a frame of the gateway's: itself, nothing, or more. */
export type Meddle = (frame: Buffer) => readonly (Buffer | string)[];

/** A request as it came: "GET /bounties/...", the part of that which the route's parentheses caught, and the body. */
export interface Asked {
  readonly line: string;
  readonly caught: string;
  readonly body: unknown;
}

/** Answers in the gateway's place, or not (`undefined`): then the gateway is asked. */
type Forge = (asked: Asked) => Nonsense | Silence | undefined;
/** Makes another `result` of the gateway's, which may be an error's `errors`; `truth` is parsed without loss. */
type Alter = (truth: unknown, asked: Asked) => unknown;

interface Rule<T> {
  readonly route: RegExp;
  readonly apply: T;
}

/** Stands between an engine and a gateway, and is honest until a test tells it otherwise. */
export class Meddler implements AsyncDisposable {
  readonly #gateway: URL;
  readonly #server = createServer((asked, answer) => {
    // Whoever asked may be gone by now, and so may be the gateway.
    this.#answer(asked, answer).catch(() => answer.destroy());
  });
  readonly #listeners = new WebSocketServer({ server: this.#server });
  readonly #spoiled: RegExp[] = [];
  readonly #forged: Rule<Forge>[] = [];
  readonly #altered: Rule<Alter>[] = [];
  readonly #delayed: Rule<number>[] = [];
  #port = 0;
  meddle: Meddle = (frame) => [frame];

  constructor(gateway: string) {
    this.#gateway = new URL(gateway);
  }

  static async open(gateway: string): Promise<Meddler> {
    const meddler = new Meddler(gateway);
    meddler.#listeners.on("connection", (socket, { url }) => meddler.#relay(socket, url ?? "/"));
    // It passes on the server's errors, which `once` hears already.
    meddler.#listeners.on("error", () => {});
    await meddler.comeBack();
    return meddler;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#gateway.pathname}`.replace(/\/$/, "");
  }

  /** Answers the next request that fits ("GET /bounties/..."), or every one, with nonsense. */
  spoil(route: RegExp, nonsense: Nonsense | Silence, times: "once" | "always" = "once"): void {
    if (times === "once") this.#spoiled.push(route);
    let left = times === "once" ? 1 : Number.POSITIVE_INFINITY;
    this.forge(route, () => {
      if (left === 0) return undefined;
      left--;
      if (times === "once") this.#spoiled.splice(this.#spoiled.indexOf(route), 1);
      return nonsense;
    });
  }

  /** Asks `forge` first about every request that fits. */
  forge(route: RegExp, forge: Forge): void {
    this.#forged.push({ route, apply: forge });
  }

  /** Passes every request that fits on, and alters what comes back. */
  alter(route: RegExp, alter: Alter): void {
    this.#altered.push({ route, apply: alter });
  }

  /** Gives the gateway's answers to requests that fit so many milliseconds later. */
  delay(route: RegExp, ms: number): void {
    this.#delayed.push({ route, apply: ms });
  }

  /** Forgets all that it was told about requests. */
  repent(): void {
    for (const rules of [this.#spoiled, this.#forged, this.#altered, this.#delayed]) rules.length = 0;
  }

  /** Routes that were to be spoiled once and were never asked for. */
  unasked(): readonly RegExp[] {
    return this.#spoiled;
  }

  say(frame: Buffer | string): void {
    for (const socket of this.#listeners.clients) socket.send(frame);
  }

  hangUp(): void {
    for (const socket of this.#listeners.clients) socket.terminate();
  }

  /** Nobody listens at its address any more. */
  async goDown(): Promise<void> {
    this.hangUp();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Listens, again at the same address. */
  async comeBack(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.goDown();
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

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const sent = await text(asked);
    const line = `${asked.method} ${asked.url}`;
    const about = (route: RegExp): Asked => ({
      line,
      caught: route.exec(line)?.[1] ?? "",
      body: sent === "" ? undefined : parseJson(sent),
    });
    for (const { route, apply } of this.#forged.filter((rule) => rule.route.test(line))) {
      const instead = apply(about(route));
      if (instead !== undefined) return answerFalsely(answer, instead);
    }
    const altered = this.#altered.filter(({ route }) => route.test(line));
    const truth = await this.#forward(asked, sent);
    for (const { apply: ms } of this.#delayed.filter(({ route }) => route.test(line))) await sleep(ms);
    if (altered.length === 0) {
      answer.writeHead(truth.statusCode ?? 502, truth.headers);
      truth.pipe(answer);
      return;
    }
    const { status, ...rest } = parseJson(await text(truth)) as Record<string, unknown>;
    const key = status === "OK" ? "result" : "errors";
    const lie = altered.reduce((found, { route, apply }) => apply(found, about(route)), rest[key]);
    const headers = { "content-type": "application/json" };
    answer.writeHead(truth.statusCode ?? 502, headers).end(stringifyJson({ status, [key]: lie }));
  }

  async #forward({ method, headers, url = "/" }: IncomingMessage, sent: string): Promise<IncomingMessage> {
    const forwarded = request(new URL(url, this.#gateway), { method, headers });
    forwarded.end(sent);
    const [truth] = (await once(forwarded, "response")) as [IncomingMessage];
    return truth;
  }
}

function answerFalsely(answer: ServerResponse, instead: Nonsense | Silence): void {
  if (instead === "hang") return;
  if (instead === "cut") {
    answer.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    answer.write('{"status":"OK","res', () => answer.destroy());
    return;
  }
  answer.writeHead(instead.status, instead.headers).end(instead.text);
}

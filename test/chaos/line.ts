import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * A line between the engine and a server, that can be cut and mended.
 *
 *     whole ──cut("reset")────► every connection is reset, and so is every new one ──mend──► whole
 *     whole ──cut("silence")──► connections stay, new ones open, and not a byte passes ──mend──► bytes pass again
 */
export class Line implements AsyncDisposable {
  readonly #server = createServer({ pauseOnConnect: true }, (near) => this.#join(near));
  readonly #sockets = new Set<Socket>();
  readonly #target: URL;
  #cut: "reset" | "silence" | undefined;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  static async open(target: string): Promise<Line> {
    const line = new Line(target);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  /** The target's address, by way of this line. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href.replace(/\/$/, "");
  }

  cut(manner: "reset" | "silence"): void {
    this.#cut = manner;
    for (const socket of this.#sockets) {
      if (manner === "reset") socket.resetAndDestroy();
      else socket.pause();
    }
  }

  mend(): void {
    this.#cut = undefined;
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    if (this.#cut === "reset") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(this.#target.port), this.#target.hostname);
    this.#pass(near, far);
    this.#pass(far, near);
    if (this.#cut === undefined) near.resume();
    else far.pause();
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => to.write(bytes));
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

/**
 * How the content of an artifact gets to a scan worker.
 *
 *     up to channelBytes   in the message itself
 *     up to keptBytes      in a file that the worker keeps and every scan overwrites
 *     beyond               in a file of the scan's own, gone after it
 *
 * The channel takes content in pieces of some 200 KiB, and both processes have to be woken for each; a file takes it at
 * once. Overwriting is half the work of making a file, and what was once held is not given back before the worker ends,
 * so there is an end to what is kept. Writing is the system's memory being filled: for content of that size, waiting
 * for a thread to do it would take longer.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ScanMessage } from "./worker-messages.ts";

export interface ContentTransferLimits {
  /** Content beyond this does not go through the channel. */
  readonly channelBytes: number;
  /** Content beyond this is not kept. */
  readonly keptBytes: number;
}

export class ContentTransfer implements Disposable {
  readonly #directory: string;
  readonly #limits: ContentTransferLimits;
  #kept: number | undefined;

  /** `directory` is the worker's own. */
  constructor(directory: string, limits: ContentTransferLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** What the message of scan `id` carries. Only when no other scan uses what was kept. Throws what the file system says. */
  async give(id: number, bytes: Uint8Array): Promise<ScanMessage["content"]> {
    if (bytes.length <= this.#limits.channelBytes) return { bytes };
    return bytes.length <= this.#limits.keptBytes ? this.#keep(bytes) : this.#write(id, bytes);
  }

  [Symbol.dispose](): void {
    if (this.#kept !== undefined) closeSync(this.#kept);
    this.#kept = undefined;
  }

  #keep(bytes: Uint8Array): ScanMessage["content"] {
    const path = join(this.#directory, "content");
    // Never through a link that was laid there.
    this.#kept ??= openSync(path, "wx", 0o600);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#kept, bytes, at, bytes.length - at, at);
    return { path, sizeBytes: bytes.length, kept: true };
  }

  async #write(id: number, bytes: Uint8Array): Promise<ScanMessage["content"]> {
    const folder = join(this.#directory, String(id));
    // Nor through this one: what is there already is not ours.
    await mkdir(folder, { mode: 0o700 });
    const path = join(folder, "artifact");
    await writeFile(path, bytes, { mode: 0o600, flag: "wx" });
    return { path, sizeBytes: bytes.length, kept: false };
  }
}

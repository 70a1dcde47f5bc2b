/**
 * libmagic, compiled to WebAssembly: it reaches nothing but its own memory, so that a fault in its C costs a name at
 * worst. What it cannot be is interrupted, hence the limit on what it is shown.
 */
import { canonicalType } from "../../domain/media-type.ts";

/**
 * Its slowest rules, the ones that look for program text, take time in proportion to the bytes and the longest for blank
 * lines: 16 ms of CPU for 2 KiB of them, 450 ms for 64 KiB; other content 1 ms. Nearly all of its rules look at the
 * first 2 KiB anyway, and the event loop waits meanwhile, in the producer too.
 */
const SHOWN_BYTES = 2048;

/** These say nothing that `detectTypes` does not say itself. */
const MEANINGLESS = new Set(["application/octet-stream", "application/x-empty"]);

interface Magic {
  detect(bytes: Uint8Array): string;
}

let loading: Promise<Magic | undefined> | undefined;

/** Takes 60 ms and 43 MB, so it is loaded at the first use. Where there is no WebAssembly, libmagic knows nothing. */
async function load(): Promise<Magic | undefined> {
  try {
    const { WASMagic } = await import("wasmagic");
    return await WASMagic.create();
  } catch {
    return undefined;
  }
}

/** The MIME type by its canonical name, `undefined` for what it does not know. Never throws. */
export async function libmagicType(head: Uint8Array): Promise<string | undefined> {
  loading ??= load();
  const magic = await loading;
  try {
    const type = canonicalType(magic?.detect(head.subarray(0, SHOWN_BYTES)) ?? "");
    return /^[a-z]+\/[a-z0-9.+-]{1,80}$/.test(type) && !MEANINGLESS.has(type) ? type : undefined;
  } catch {
    // Its memory may be in any state now.
    loading = undefined;
    return undefined;
  }
}

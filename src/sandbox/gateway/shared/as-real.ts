/**
 * What the real gateway does and a newcomer is better spared: it takes a second to say that it does not find an artifact,
 * hands out receipts seconds late, lists one large object as its chunks, and lets no caller with a key of the default
 * limit fetch more than 10 MiB. Source: polyswarmd 2.2.0 with go-ipfs 0.4.23.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ArtifactLink, ArtifactStore } from "../../content/store.ts";

export interface RealHabits {
  /** Until it says `Timeout running ls` of content that its artifact service does not have. */
  readonly missingMs: number;
  /** Before the answer about receipts, at least and at most. */
  readonly receiptMs: readonly [least: number, most: number];
  /** Bytes of the pieces that an object is stored in. */
  readonly chunkBytes: number;
  /** The largest artifact of a caller whose key allows no more. */
  readonly maxArtifactBytes: number;
}

export const REAL_HABITS: RealHabits = {
  missingMs: 1_000,
  receiptMs: [2_000, 5_000],
  chunkBytes: 262_144,
  maxArtifactBytes: 10_485_760,
};

/** A wait that ends early, and well, when the gateway closes. */
export async function dawdle(ms: number, closing: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: closing }).catch(() => undefined);
}

/** The store as IPFS shows it: an object larger than a chunk lists as its chunks, which have no names. */
export function inChunks(store: ArtifactStore, chunkBytes: number): ArtifactStore {
  const pieces = (uri: string): readonly Uint8Array[] | undefined => {
    const [only, ...more] = store.list(uri) ?? [];
    const content = store.get(uri, 0);
    if (only?.name !== "" || more.length > 0 || content === undefined || content.length <= chunkBytes)
      return undefined;
    const count = Math.ceil(content.length / chunkBytes);
    return Array.from({ length: count }, (_, at) => content.subarray(at * chunkBytes, (at + 1) * chunkBytes));
  };
  return {
    ...store,
    list: (uri) =>
      pieces(uri)?.map((_, at): ArtifactLink => ({ name: "", hash: `${uri}${at}` })) ?? store.list(uri),
    get: (uri, index) => (pieces(uri) ?? [])[index] ?? store.get(uri, index),
  };
}

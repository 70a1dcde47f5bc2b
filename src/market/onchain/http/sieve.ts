/**
 * JSON on its way in, with the values under some keys left out: a rival's reveal metadata of 8 MB beside our own row, a
 * bounty's of 4 MB beside its expiration. What is left out is never held, parsed or waited for; `null` stands in its
 * place. Costs about 3 ms for each MB, in pieces as they come.
 *
 *     plain ──quote──► string ──quote──► plain        a string in front of a colon is a key
 *     plain ──colon behind a watched key──► plain, watching: what follows is kept, and counted
 *     watching ──end of the value──► plain
 *     watching ──beyond what the key may hold──► skipping: what was kept of the value is taken back
 *     skipping ──end of the value──► plain
 *
 * A watched key inside a watched value is part of that value. Whether all of it is JSON is for the parser to say.
 */
import type { JsonBounds } from "../../../json/json.ts";

/** What the value under a key may hold; `bytes: 0` leaves out every such value. */
export interface ValueBounds extends JsonBounds {
  readonly bytes: number;
}

interface SieveOptions {
  /** By key, as the gateway writes it: without escapes. */
  readonly allowances: Readonly<Record<string, ValueBounds>>;
  /** Bytes of all that is kept together. */
  readonly keptBytes: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a byte outside of strings means: most mean nothing here. */
const MEANING = { none: 0, quote: 1, colon: 2, comma: 3, opening: 4, closing: 5 } as const;
const MEANINGS = new Uint8Array(256);
for (const [byte, meaning] of [
  ['"', MEANING.quote],
  [":", MEANING.colon],
  [",", MEANING.comma],
  ["[", MEANING.opening],
  ["{", MEANING.opening],
  ["]", MEANING.closing],
  ["}", MEANING.closing],
] as const) {
  MEANINGS[byte.charCodeAt(0)] = meaning;
}
const NULL = Buffer.from("null");

/** The value under a watched key, while it comes in. */
interface Watched {
  readonly key: string;
  readonly allowance: ValueBounds;
  /** How deep its key lies. */
  readonly depth: number;
  values: number;
  bytes: number;
  skipping: boolean;
}

export class JsonSieve {
  readonly #options: SieveOptions;
  readonly #longestKey: number;
  /** What is kept; the value that is watched is in `#pending` until it has ended. */
  readonly #kept: Buffer[] = [];
  #pending: Buffer[] = [];
  #keptBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The string that came last, as far as it may be a watched key. */
  #text = "";
  #watched: Watched | undefined;
  readonly #leftOut = new Set<string>();

  constructor(options: SieveOptions) {
    this.#options = options;
    this.#longestKey = Object.keys(options.allowances).reduce(
      (most, { length }) => Math.max(most, length),
      0,
    );
  }

  /** Keys of which at least one value was left out although something of it was allowed. */
  get leftOut(): ReadonlySet<string> {
    return this.#leftOut;
  }

  /** False when more is kept than may be: nothing further is taken then. */
  push(chunk: Buffer): boolean {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#inString) {
        at = this.#passString(chunk, at);
        continue;
      }
      const meaning = MEANINGS[chunk[at]!];
      if (meaning === MEANING.none) continue;
      if (meaning === MEANING.quote) {
        this.#inString = true;
        this.#text = "";
      } else if (meaning === MEANING.colon) {
        if (!this.#isWatchedKey()) continue;
        this.#keep(chunk.subarray(from, at + 1));
        from = at + 1;
        this.#watch();
      } else if (meaning === MEANING.opening) {
        this.#depth++;
        this.#count();
      } else if (this.#watched?.depth === this.#depth) {
        this.#keep(chunk.subarray(from, at));
        from = at;
        this.#settle();
        if (meaning === MEANING.closing) this.#depth--;
      } else if (meaning === MEANING.closing) {
        this.#depth--;
      } else {
        this.#count();
      }
    }
    this.#keep(chunk.subarray(from));
    return this.#keptBytes <= this.#options.keptBytes;
  }

  /** All that was kept. */
  end(): Buffer {
    this.#settle();
    return Buffer.concat(this.#kept);
  }

  /** From inside a string to its closing quote, or to the end of the chunk. */
  #passString(chunk: Buffer, start: number): number {
    let at = start;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#escaped) {
        this.#escaped = false;
      } else if (byte === BACKSLASH) {
        this.#escaped = true;
      } else if (byte === QUOTE) {
        this.#inString = false;
        break;
      }
    }
    const room = this.#longestKey + 1 - this.#text.length;
    if (this.#watched === undefined && room > 0) {
      this.#text += chunk.toString("latin1", start, Math.min(at, start + room));
    }
    return at;
  }

  #isWatchedKey(): boolean {
    return this.#watched === undefined && Object.hasOwn(this.#options.allowances, this.#text);
  }

  #watch(): void {
    const allowance = this.#options.allowances[this.#text]!;
    const skipping = allowance.bytes === 0;
    this.#watched = { key: this.#text, allowance, depth: this.#depth, values: 1, bytes: 0, skipping };
  }

  /** One more value, if it is in one that is watched. */
  #count(): void {
    const watched = this.#watched;
    if (watched === undefined || watched.skipping) return;
    watched.values++;
    const { depth, values } = watched.allowance;
    if (watched.values > values || this.#depth - watched.depth > depth) this.#skip(watched);
  }

  #skip(watched: Watched): void {
    if (!watched.skipping) this.#leftOut.add(watched.key);
    watched.skipping = true;
    this.#keptBytes -= this.#pending.reduce((sum, { length }) => sum + length, 0);
    this.#pending = [];
  }

  #keep(bytes: Buffer): void {
    const watched = this.#watched;
    if (bytes.length === 0 || watched?.skipping === true) return;
    if (watched === undefined) {
      this.#kept.push(bytes);
    } else {
      watched.bytes += bytes.length;
      this.#pending.push(bytes);
    }
    this.#keptBytes += bytes.length;
    if (watched !== undefined && watched.bytes > watched.allowance.bytes) this.#skip(watched);
  }

  /** The watched value has ended. */
  #settle(): void {
    if (this.#watched === undefined) return;
    const { skipping } = this.#watched;
    for (const bytes of skipping ? [NULL] : this.#pending) this.#kept.push(bytes);
    if (skipping) this.#keptBytes += NULL.length;
    this.#pending = [];
    this.#watched = undefined;
  }
}

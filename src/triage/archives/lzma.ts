/**
 * Unpacks LZMA, which the directories of 7z archives are packed with. Small things only: everything is in memory, and runs
 * in one go. Source: the LZMA specification of the LZMA SDK, whose names are used here.
 */

/** How a literal is unpacked depends on `lc` bits of the byte before it and `lp` of its place, the rest on `pb` of that. */
interface Properties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

/** Throws RangeError for what is not LZMA, ends too early, or refers to what is before its beginning. */
export function unpackLzma(packed: Uint8Array, properties: number, unpackedBytes: number): Uint8Array {
  if (properties >= 9 * 5 * 5) throw new RangeError("no properties of LZMA");
  const rest = Math.floor(properties / 9);
  const decoder = new Decoder(packed, { lc: properties % 9, lp: rest % 5, pb: Math.floor(rest / 5) });
  return decoder.unpack(unpackedBytes);
}

/** Where each kind of choice has its probabilities. */
const PLACE = (() => {
  let end = 0;
  const take = (count: number): number => {
    end += count;
    return end - count;
  };
  const length = () => ({ choice: take(2), low: take(16 << 3), middle: take(16 << 3), high: take(256) });
  return {
    isMatch: take(12 << 4),
    isRep: take(12),
    isRep0Long: take(12 << 4),
    isRepG: [take(12), take(12), take(12)],
    slot: take(4 << 6),
    special: take(128),
    align: take(16),
    matchLength: length(),
    repeatLength: length(),
    literal: end,
  } as const;
})();
type LengthPlace = typeof PLACE.matchLength;

const PROBABILITY_BITS = 11;
const EVEN = 1 << (PROBABILITY_BITS - 1);
const ADAPT_BITS = 5;
const TOP = 2 ** 24;
const SHORTEST = 2;
const LITERAL_CHOICES = 0x300;

/**
 * `state` remembers the last few steps, as the format has it: below 7 the last was a literal. `distances` are the last four
 * distances that content was repeated from, the latest first; 0 is the byte before.
 */
class Decoder {
  readonly #packed: Uint8Array;
  readonly #properties: Properties;
  readonly #probabilities: Uint16Array;
  #at = 5;
  #range = 0xffffffff;
  #code: number;
  #state = 0;
  #distances: readonly [number, number, number, number] = [0, 0, 0, 0];

  constructor(packed: Uint8Array, properties: Properties) {
    if (packed.length < 5 || packed[0] !== 0) throw new RangeError("no beginning of LZMA");
    this.#packed = packed;
    this.#properties = properties;
    const literals = LITERAL_CHOICES << (properties.lc + properties.lp);
    this.#probabilities = new Uint16Array(PLACE.literal + literals).fill(EVEN);
    this.#code = new DataView(packed.buffer, packed.byteOffset).getUint32(1);
  }

  unpack(bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    for (let at = 0; at < bytes; ) {
      const place = at & ((1 << this.#properties.pb) - 1);
      if (this.#bit(PLACE.isMatch + (this.#state << 4) + place) === 0) {
        out[at] = this.#literal(out, at);
        at++;
        continue;
      }
      const length = this.#repetition(place);
      const [distance] = this.#distances;
      if (distance >= at) throw new RangeError("from before the beginning");
      for (const end = Math.min(bytes, at + length); at < end; at++) out[at] = out[at - distance - 1]!;
    }
    return out;
  }

  #literal(out: Uint8Array, at: number): number {
    const { lc, lp } = this.#properties;
    const before = at === 0 ? 0 : out[at - 1]!;
    const context = ((at & ((1 << lp) - 1)) << lc) + (before >> (8 - lc));
    const place = PLACE.literal + LITERAL_CHOICES * context;
    let symbol = 1;
    if (this.#state >= 7) {
      // After a repetition, the byte that would have come next is likely wrong: it takes part in the choice.
      if (this.#distances[0] >= at) throw new RangeError("from before the beginning");
      let likely = out[at - this.#distances[0] - 1]!;
      while (symbol < 0x100) {
        const expected = (likely >> 7) & 1;
        likely <<= 1;
        const bit = this.#bit(place + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(place + symbol);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
    return symbol & 0xff;
  }

  /** Length of what is repeated; from where is `#distances[0]` afterwards. */
  #repetition(place: number): number {
    const afterLiteral = this.#state < 7;
    const [a, b, c, d] = this.#distances;
    if (this.#bit(PLACE.isRep + this.#state) === 0) {
      const length = this.#length(PLACE.matchLength, place);
      this.#state = afterLiteral ? 7 : 10;
      this.#distances = [this.#distance(length), a, b, c];
      return length;
    }
    if (this.#bit(PLACE.isRepG[0]! + this.#state) === 0) {
      if (this.#bit(PLACE.isRep0Long + (this.#state << 4) + place) === 0) {
        this.#state = afterLiteral ? 9 : 11;
        return 1;
      }
    } else if (this.#bit(PLACE.isRepG[1]! + this.#state) === 0) this.#distances = [b, a, c, d];
    else if (this.#bit(PLACE.isRepG[2]! + this.#state) === 0) this.#distances = [c, a, b, d];
    else this.#distances = [d, a, b, c];
    const length = this.#length(PLACE.repeatLength, place);
    this.#state = afterLiteral ? 8 : 11;
    return length;
  }

  #length({ choice, low, middle, high }: LengthPlace, place: number): number {
    if (this.#bit(choice) === 0) return SHORTEST + this.#tree(low + (place << 3), 3);
    if (this.#bit(choice + 1) === 0) return SHORTEST + 8 + this.#tree(middle + (place << 3), 3);
    return SHORTEST + 16 + this.#tree(high, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(PLACE.slot + (Math.min(length - SHORTEST, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return base + this.#reversed(PLACE.special + base - slot, bits);
    return base + this.#plain(bits - 4) * 16 + this.#reversed(PLACE.align, 4);
  }

  #tree(place: number, bits: number): number {
    let symbol = 1;
    for (let bit = 0; bit < bits; bit++) symbol = (symbol << 1) | this.#bit(place + symbol);
    return symbol - (1 << bits);
  }

  /** As a tree, the lowest bit first. */
  #reversed(place: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let index = 0; index < bits; index++) {
      const bit = this.#bit(place + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << index;
    }
    return value;
  }

  /** Bits that are as likely as not. */
  #plain(bits: number): number {
    let value = 0;
    for (let index = 0; index < bits; index++) {
      this.#range = Math.floor(this.#range / 2);
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = value * 2 + bit;
      this.#fill();
    }
    return value;
  }

  #bit(place: number): 0 | 1 {
    const probability = this.#probabilities[place]!;
    const bound = (this.#range >>> PROBABILITY_BITS) * probability;
    const bit = this.#code < bound ? 0 : 1;
    if (bit === 0) {
      this.#range = bound;
      this.#probabilities[place] = probability + (((1 << PROBABILITY_BITS) - probability) >> ADAPT_BITS);
    } else {
      this.#code -= bound;
      this.#range -= bound;
      this.#probabilities[place] = probability - (probability >> ADAPT_BITS);
    }
    this.#fill();
    return bit;
  }

  #fill(): void {
    if (this.#range >= TOP) return;
    const byte = this.#packed[this.#at++];
    if (byte === undefined) throw new RangeError("ends too early");
    this.#range *= 256;
    this.#code = this.#code * 256 + byte;
  }
}

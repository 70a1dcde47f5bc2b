/**
 * The memory-hard core of scrypt (RFC 7914, sections 3 to 5) in JavaScript, for the keystores that OpenSSL and web3
 * refuse: the oldest ones, the published test vector among them, pair N = 262144 with r = 1, and both insist on the
 * RFC's bound on N. Some ten times slower than native and on the event loop, so in steps: a start hears blocks and loads
 * what it needs meanwhile.
 */

/** Some milliseconds of work. */
const STEP = 4_096;

/**
 * Mixes one block of 32 * r little-endian words in place, with 128 * r * n bytes of scratch memory. Done when the steps
 * are; the event loop may have a turn between them.
 */
export function* romix(block: Uint32Array, n: number, r: number): Generator<undefined, void> {
  const history = new Uint32Array(32 * r * n);
  const scratch = new Uint32Array(32 * r);
  for (let from = 0; from < n; from += STEP) {
    fill(block, { history, scratch, r, from, to: Math.min(from + STEP, n) });
    yield;
  }
  for (let from = 0; from < n; from += STEP) {
    mix(block, { history, scratch, r, from, to: Math.min(from + STEP, n) });
    yield;
  }
}

interface Stretch {
  readonly history: Uint32Array;
  readonly scratch: Uint32Array;
  readonly r: number;
  /** Of the `n` rounds. */
  readonly from: number;
  readonly to: number;
}

function fill(block: Uint32Array, { history, scratch, r, from, to }: Stretch): void {
  for (let i = from; i < to; i++) {
    history.set(block, i * block.length);
    mixBlocks(block, scratch, r);
  }
}

function mix(block: Uint32Array, { history, scratch, r, from, to }: Stretch): void {
  const words = block.length;
  const n = history.length / words;
  for (let i = from; i < to; i++) {
    const at = (block[words - 16]! & (n - 1)) * words;
    for (let k = 0; k < words; k++) block[k]! ^= history[at + k]!;
    mixBlocks(block, scratch, r);
  }
}

/** scryptBlockMix: the even 64-byte results go to the front half, the odd ones to the back half. */
function mixBlocks(block: Uint32Array, scratch: Uint32Array, r: number): void {
  const x = block.slice(-16);
  for (let i = 0; i < 2 * r; i++) {
    for (let k = 0; k < 16; k++) x[k]! ^= block[i * 16 + k]!;
    salsa(x);
    scratch.set(x, ((i >> 1) + (i & 1) * r) * 16);
  }
  block.set(scratch);
}

/** Salsa20/8 on 16 words, in place: four double rounds, columns first, then rows. */
function salsa(x: Uint32Array): void {
  const y = x.slice();
  for (let round = 0; round < 4; round++) {
    for (let at = 0; at < QUARTERS.length; at += 4) quarter(y, at);
  }
  for (let k = 0; k < 16; k++) x[k]! += y[k]!;
}

/** The words of each quarter of a double round, four by four. */
const QUARTERS = Uint8Array.from(
  [
    [0, 4, 8, 12, 5, 9, 13, 1, 10, 14, 2, 6, 15, 3, 7, 11],
    [0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14],
  ].flat(),
);

/** The quarter whose words are named from a place in `QUARTERS` on. */
function quarter(y: Uint32Array, at: number): void {
  const a = QUARTERS[at]!;
  const b = QUARTERS[at + 1]!;
  const c = QUARTERS[at + 2]!;
  const d = QUARTERS[at + 3]!;
  y[b]! ^= rotate(y[a]! + y[d]!, 7);
  y[c]! ^= rotate(y[b]! + y[a]!, 9);
  y[d]! ^= rotate(y[c]! + y[b]!, 13);
  y[a]! ^= rotate(y[d]! + y[c]!, 18);
}

// The sums are below 2^33: `|` takes them modulo 2^32 before the bits move.
const rotate = (word: number, by: number): number => ((word | 0) << by) | ((word | 0) >>> (32 - by));

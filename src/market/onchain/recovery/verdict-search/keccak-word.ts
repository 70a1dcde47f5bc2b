/**
 * Keccak-256 of one 32-byte word that changes by single bits, for a search that hashes millions of them. The permutation
 * is unrolled into a WebAssembly module at run time, because JavaScript has no fast 64-bit rotation: 0.4 us a word where
 * @noble/hashes, which web3 builds on, takes 8 and web3's own `keccak256` 25. What is found with it is confirmed with the
 * real one: a mistake here could miss, but never mislead.
 *
 * Source: FIPS 202, section 3.2 (theta, rho, pi, chi, iota) and 3.2.5 (round constants); Keccak's own padding, 0x01.
 */

interface KeccakWord {
  /** The word, least significant bit last, as Solidity hashes a `uint256`. */
  set(word: bigint): void;
  word(): bigint;
  /** Changes bit `index` of the word, 0 the least significant. */
  flip(index: number): void;
  /** Hashes the word as it is now; the first 32 bits of its hash, to compare with what `prefixOf` says. */
  prefix(): number;
  /** The whole hash of the word as it is now. */
  hash(): bigint;
}

/** The first 32 bits of a hash as `prefix` tells them: in the order of the machine's memory, signed. */
export const prefixOf = (hash: bigint): number => Buffer.from(hex(hash), "hex").readInt32LE(0);

interface Permutation {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Absorbs the block at 0, which is one lane after the other, and leaves the digest at `DIGEST`. */
  readonly absorb: () => void;
}

/** Node has it; the library of types for browsers, which describes it, is not ours. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

const LANES = 25;
const WORD_BYTES = 32;
/** Bytes that one permutation absorbs. */
const RATE = 136;
const DIGEST = 200;

export function openKeccakWord(): KeccakWord {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(keccakModule()));
  const { memory, absorb } = instance.exports as Permutation;
  const word = new Uint8Array(memory.buffer, 0, WORD_BYTES);
  const padding = new Uint8Array(memory.buffer, WORD_BYTES, RATE - WORD_BYTES);
  padding[0] = 0x01;
  padding[padding.length - 1] = 0x80;
  const digest = new Uint8Array(memory.buffer, DIGEST, WORD_BYTES);
  const first = new Int32Array(memory.buffer, DIGEST, 1);
  return {
    set: (value) => word.set(Buffer.from(hex(value), "hex")),
    word: () => bigintOf(word),
    flip(index) {
      word[WORD_BYTES - 1 - (index >> 3)]! ^= 1 << (index & 7);
    },
    prefix() {
      absorb();
      return first[0]!;
    },
    hash() {
      absorb();
      return bigintOf(digest);
    },
  };
}

const hex = (word: bigint): string => word.toString(16).padStart(2 * WORD_BYTES, "0");
const bigintOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);

/** Instructions, types and sections of the binary format that are used here. */
const OP = {
  end: 0x0b,
  get: 0x20,
  set: 0x21,
  load: 0x29,
  store: 0x37,
  i32: 0x41,
  i64: 0x42,
  and: 0x83,
  xor: 0x85,
  rotl: 0x89,
};
const I64 = 0x7e;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module that exports `memory` (one page) and `absorb`. */
function keccakModule(): Uint8Array {
  const body = vector([1, ...unsigned(LOCALS), I64, ...permutation(), OP.end]);
  const name = (text: string) => vector([...Buffer.from(text)]);
  return Uint8Array.from([
    ...HEADER,
    ...[1, ...vector([1, 0x60, 0, 0])], // one type: nothing to nothing
    ...[3, ...vector([1, 0])], // one function of that type
    ...[5, ...vector([1, 0, 1])], // one memory
    ...[7, ...vector([2, ...name("absorb"), 0, 0, ...name("memory"), 2, 0])],
    ...[10, ...vector([1, ...body])],
  ]);
}

/** Where lane (x, y) is kept: the state, the state after rho and pi, and theta's two rows. */
const a = (x: number, y: number): number => (x % 5) + 5 * (y % 5);
const b = (x: number, y: number): number => LANES + a(x, y);
const c = (x: number): number => 2 * LANES + (x % 5);
const d = (x: number): number => 2 * LANES + 5 + (x % 5);
const LOCALS = 2 * LANES + 10;
const FIVE = [0, 1, 2, 3, 4];

function permutation(): number[] {
  const get = (local: number): number[] => [OP.get, ...unsigned(local)];
  const set = (local: number): number[] => [OP.set, ...unsigned(local)];
  const each = (emit: (x: number, y: number) => number[]) =>
    FIVE.flatMap((y) => FIVE.flatMap((x) => emit(x, y)));
  const offsets = rotations();
  const round = (constant: bigint): number[] => [
    ...FIVE.flatMap((x) => [
      ...get(a(x, 0)),
      ...[1, 2, 3, 4].flatMap((y) => [...get(a(x, y)), OP.xor]),
      ...set(c(x)),
    ]),
    ...FIVE.flatMap((x) => [...get(c(x + 4)), ...get(c(x + 1)), OP.i64, 1, OP.rotl, OP.xor, ...set(d(x))]),
    ...each((x, y) => [
      ...[...get(a(x, y)), ...get(d(x)), OP.xor],
      ...[OP.i64, ...signed(offsets[a(x, y)]!), OP.rotl, ...set(b(y, 2 * x + 3 * y))],
    ]),
    ...each((x, y) => [
      ...[...get(b(x, y)), ...get(b(x + 1, y)), OP.i64, ...signed(-1n), OP.xor],
      ...[...get(b(x + 2, y)), OP.and, OP.xor, ...set(a(x, y))],
    ]),
    ...[...get(a(0, 0)), OP.i64, ...signed(constant), OP.xor, ...set(a(0, 0))],
  ];
  return [
    ...each((x, y) => [OP.i32, 0, OP.load, 3, ...unsigned(8 * a(x, y)), ...set(a(x, y))]),
    ...roundConstants().flatMap(round),
    ...[0, 1, 2, 3].flatMap((x) => [OP.i32, 0, ...get(a(x, 0)), OP.store, 3, ...unsigned(DIGEST + 8 * x)]),
  ];
}

/** How far rho rotates each lane. */
function rotations(): bigint[] {
  const offsets = Array.from({ length: LANES }, () => 0n);
  for (let t = 0, x = 1, y = 0; t < 24; t++, [x, y] = [y, (2 * x + 3 * y) % 5]) {
    offsets[a(x, y)] = BigInt((((t + 1) * (t + 2)) / 2) % 64);
  }
  return offsets;
}

/** Iota's constants, from the shift register that defines them. */
function roundConstants(): bigint[] {
  let register = 1;
  return Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (register & 1) constant |= 1n << ((1n << BigInt(j)) - 1n);
      register = register & 0x80 ? (register << 1) ^ 0x171 : register << 1;
    }
    return BigInt.asIntN(64, constant);
  });
}

const vector = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(BigInt.asUintN(7, value));
  const rest = value >> 7n;
  const last = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return last ? [low] : [low | 0x80, ...signed(rest)];
}

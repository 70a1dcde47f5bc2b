import { createHash } from "node:crypto";

/** Chance that is the same for the same seed. For a sandbox only: the seed tells every throw. */
export interface Dice {
  /** 0 included, 1 excluded. */
  ratio(): number;
  /** An integer from 0 to `count - 1`. */
  below(count: number): number;
  /** A whole number of `bytes` bytes, at most 32. */
  integer(bytes: number): bigint;
}

/** Each list of seeds has a sequence of its own: SHA-256 over the seeds and a counter. */
export function dice(...seeds: readonly (string | number)[]): Dice {
  let throws = 0;
  const next = (): Buffer =>
    createHash("sha256")
      .update(JSON.stringify([seeds, throws++]))
      .digest();
  const ratio = (): number => next().readUIntBE(0, 6) / 2 ** 48;
  return {
    ratio,
    below: (count) => Math.floor(ratio() * count),
    integer: (bytes) => BigInt(`0x${next().subarray(0, bytes).toString("hex")}`),
  };
}

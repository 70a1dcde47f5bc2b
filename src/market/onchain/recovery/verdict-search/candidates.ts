/**
 * Orders in which sets of bits are tried. Each is a generator that flips bits of what it is given and pauses at every
 * candidate; nothing is allocated in between, because there are millions of them.
 */

interface Flippable {
  flip(index: number): void;
}

type Candidates = Generator<void, void, void>;

/** Every set of these bits (at most 30), each one flip away from the one before: Gray code. */
export function* everySet(word: Flippable, bits: readonly number[]): Candidates {
  yield;
  for (let count = 1; count < 2 ** bits.length; count++) {
    const lowestOne = 31 - Math.clz32(count & -count);
    word.flip(bits[lowestOne]!);
    yield;
  }
}

/**
 * What differs from the word as it is in no bit, then in one, in two and so on. Among those that differ in equally many,
 * the ones whose bits stand early in `bits` come first: put the least certain there.
 */
export function* outwards(word: Flippable, bits: readonly number[]): Candidates {
  for (let distance = 0; distance <= bits.length; distance++) yield* atDistance(word, bits, distance);
}

/** Outwards from the word as it is and from the word with all of `bits` flipped, in turns. */
export function* fromBothEnds(word: Flippable, bits: readonly number[]): Candidates {
  for (let distance = 0; 2 * distance <= bits.length; distance++) {
    for (const end of ["near", "far"]) {
      // Half way both ends see the same.
      if (end === "near" || 2 * distance < bits.length) yield* atDistance(word, bits, distance);
      for (const bit of bits) word.flip(bit);
    }
  }
}

/** All sets of `distance` bits in colexicographic order, in which the highest position grows last. */
function* atDistance(word: Flippable, bits: readonly number[], distance: number): Candidates {
  const chosen = Array.from({ length: distance }, (_, index) => index);
  const flip = (position: number): void => word.flip(bits[position]!);
  chosen.forEach(flip);
  for (;;) {
    yield;
    // The first that can move up without meeting the next one moves; those below it go back to the start.
    let at = 0;
    while (at < distance && chosen[at]! + 1 === (chosen[at + 1] ?? bits.length)) at++;
    if (at === distance) break;
    for (let below = 0; below <= at; below++) flip(chosen[below]!);
    chosen[at]!++;
    for (let below = 0; below < at; below++) chosen[below] = below;
    for (let below = 0; below <= at; below++) flip(chosen[below]!);
  }
  chosen.forEach(flip);
}

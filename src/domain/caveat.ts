/**
 * Why no scanner can see through an artifact: one that finds nothing in it has not found it clean.
 * Stable names: answers carry them at the beginning of their `detail`.
 */
export const CAVEATS = [
  "encrypted", // a password keeps part of the content from everybody
  "bomb", // unpacks to more than any real file, to wear out scanners
  "too-deep", // archives in archives, deeper than any scanner looks
  "too-many-entries",
  "too-much", // unpacks to more than is looked at
  "unsupported", // packed in a way that scanners do not unpack
  "damaged", // contradicts itself: unpackers differ in what they find in it
  "truncated", // ends before it says it does
  "macros", // a document with programs in it
] as const;

export interface Caveat {
  readonly kind: (typeof CAVEATS)[number];
  /** A sentence for people, in our words only: nothing of it was written by a stranger. */
  readonly sentence: string;
}

export const caveat = (kind: Caveat["kind"], sentence: string): Caveat => ({ kind, sentence });

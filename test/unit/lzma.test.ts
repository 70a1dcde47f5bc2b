import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpackLzma } from "../../src/triage/archives/lzma.ts";

/** The same bytes every time (xorshift32). */
function noise(length: number): Buffer {
  let state = 0x9e3779b9;
  return Buffer.from(
    Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    }),
  );
}

/** Four bytes from one of four distances, and one that is new, again and again. */
function woven(times: number): Buffer {
  const out = [...noise(20)];
  for (const byte of noise(times)) {
    const distance = [7, 11, 13, 17][byte & 3]!;
    for (let count = 0; count < 4; count++) out.push(out.at(-distance)!);
    out.push(byte);
  }
  return Buffer.from(out);
}

const WORDS = Buffer.from("one two three four; two four one; three one two ".repeat(3));
const PLAIN = Buffer.concat([
  ...[WORDS, Buffer.alloc(700), noise(200), WORDS, woven(80)],
  Buffer.from(Array.from({ length: 40 }, (_, at) => at)),
]);

/** PLAIN, packed by liblzma; the number is the first byte of its properties. */
const PACKED: readonly (readonly [properties: number, base64: string])[] = [
  [
    93,
    "ADebiM524vTjZd79IVR5GDM4Sppvg5amczaJtQWQ7Tk/tbfSOH3MVkr7rGpSoQU+oMa6tB/PtOxgrxihnuSTJtZ/36cc/tgN36eIJPfLJtrln5itdmlJFUEbFnOJ5uA6RdfFP/OVj+Kr6e/T9VfGIRs7b0GZCl/G9h7oPAFeh5o7kh9fm8x0dG0d+kABLO941v9LA01DYOWNOBISj161l5Mz/Wy21XA3BnzPiuAohbuz3Ea9JxXbe8qYwCrDdnj2TvoHp7QLs0U3YiOWdVEMwE9tNFvRKC7TB0vwKJeNq853gyNu3blntr17Ych+R1LGRydEpRfNEWsvBdEp+u37otWWbcPobgNkqKwS9vQHFZLY60OtzmSXz4YAcIK7jvxJn8do+iRfHbqlMEevOx9VlopIysJLMHKsjKL7KdHCypXncQOoYonbFqYdgOAze8XAfAr8NWghEChoA6yuMWhXXECdsr1WOql/Xt480rYhIJ5VdRcTi21pv9tw6/xDZjEDEnjC8YTpvScWcU4+JE2ch8KD3Eq7MN3uBls7nyVCziS/0E/1YT7bnAmlINMapVDbnn5y6e4F+Rh4j7sW48SW3T//7iKwJA==",
  ],
  [
    18,
    "ADecZdR0YgAAwfw0/c9Sxi+sOtG1m7XnN9tm9I1OEdRGeExS+gQyDkuzNU8ckAkG1BIU9JzZj5HyOwOB9CWHX6RXWCNmMhsTGmXiFL0rpdviu5vlnPHN4HEfVKeFlFex5dU7d2zu8wOJlfPQvtiHQrCvcNvWdhWRD13/ivDjuOodvdQJFK8YXndFA5RVLiOYDWDiWm/SPQnK81ICqJ7AjAzY9O7n7jMI2KGudTy7Eh9YOhdXEbEMsGq0t8oytWD3sgeuPXjQSqCu9xkLmtA1go1swJaw7Zb8NHS3S+oowwpAqUYgHRVs7nUH3krb/+IgIFu6PTRJSU7CZk+yd9h7Cqm3/A0Lg4735wM/eCYB0C7J4JSwD8LZdrOhwWkrzCsjgdRLuUgC8xl1F4IKXk8kYhX5mQesUIOtfVw7YFm3kbwSP3c9OnxeA7saA+i7dJFqGIyw1CX3y01GqBQh6ENR97KJUgMzReWo8iz3Cy9cKMeVc8Ofj3bbXRl6bg35xNYj8VaXzqEao75KAsne+fxtUyGoN4TGBHgfu69PY61pZSnHHg5gJiRyJ1EEXmH/zvwE0w==",
  ],
  [
    184,
    "ADebiM52wv6LwVpgv4RYkf3Bgu5+Cyrdxi+A77S2Uv2UOahiv+pV8cjeiaF7m55lFdfr8J/PK/4BlI1ZS9R275ecrfNxOWU8BtLJT6MJVfr/D0UVC8Ju+bcd+euZ5dLsxEHDEEL3F4e2Tk/aH1Kohd8sFJ7pRWYhGzLggkO7DmuoQ/F4F6Wji4+/nn0k0IWxKUwM8Wu+N0BMQcT1tz9k7adklIJ1TuacTOu7KfPPdE9Lt8Httlx5isyPs2UmRRyRL6Y6jCZ5bH0x+IjaRA6cMcECkE2R2+z6Hmwrf80N+cY/lyRxx+ejXUCGpytekacoO/UoNGDcE8amiDl5mABttdn1bZ2B93+LZ06bHfFZrBT6vMmTcGc7dSAEedI6I8DrMZcMMsDcAXXX8S03/ucDXb3H0wH4tkyjbTBYOVw8jvDC5Vmz7+l7MpGGEooexekJcmuIQfOmRYrWxULXlYPfqxjlq8D6OS1nRv8Xew39/XyoAtU3qQ1TnwIAxcAlveQvkqjYKK07fuJZ0H5jnTP7B+II7tNf7gaH7lO2KBeQ0MG97c8ndaWZuKWGxUtPB7VQV9K7isy+zK9phjyQHkSLxq2BAa32WjMSjXpNKBgdCefDgR4iqYb/7jrJiA==",
  ],
];

describe("unpacking LZMA", () => {
  it.each(PACKED)("gives back what was packed with the properties %i", (properties, base64) => {
    const unpacked = unpackLzma(Buffer.from(base64, "base64"), properties, PLAIN.length);
    expect(Buffer.from(unpacked).equals(PLAIN)).toBe(true);
  });

  it("ends with a RangeError, and soon, when the bytes are cut or are none of LZMA", () => {
    const whole = Buffer.from(PACKED[0]![1], "base64");
    expect(() => unpackLzma(whole.subarray(0, 200), 93, PLAIN.length)).toThrow(RangeError);
    expect(() => unpackLzma(whole, 225, PLAIN.length)).toThrow(RangeError);
    const bytes = fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.from([0, ...rest]));
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array()), fc.nat(255), (packed, properties) => {
        try {
          expect(unpackLzma(packed, properties, 2_000).length).toBe(2_000);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

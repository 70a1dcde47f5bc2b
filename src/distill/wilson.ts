import { type Ppm, ppm } from "../domain/verdict.ts";

const Z = 1;

/** Wilson's score interval (z = 1) around a share p of n opinions; n need not be whole. Everything when n is 0. */
export function wilson(p: number, n: number): readonly [Ppm, Ppm] {
  if (n === 0) return [ppm(0), ppm(1)];
  const z2n = Z ** 2 / n;
  const middle = (p + z2n / 2) / (1 + z2n);
  const reach = Math.sqrt(p * (1 - p) * z2n + z2n ** 2 / 4) / (1 + z2n);
  return [ppm(middle - reach), ppm(middle + reach)];
}

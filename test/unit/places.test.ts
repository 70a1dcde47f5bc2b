import { expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import {
  MOST_PLACES,
  mayBeMined,
  PLACES_AT_ONCE,
  placesToTry,
} from "../../src/market/onchain/settlement/steps/places.ts";

const account = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const other = parseAddress("0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE");
const rows = (...indices: readonly number[]) => indices.map((index) => ({ index, author: other }));

it("tries the first places where there is no list, each once, and 64 in all", () => {
  let tried: readonly number[] = [];
  for (;;) {
    const next = placesToTry({ account, told: undefined, listed: undefined, tried });
    if (next.length === 0) break;
    expect(next.length).toBeLessThanOrEqual(PLACES_AT_ONCE);
    tried = [...tried, ...next];
  }
  expect(tried).toEqual(Array.from({ length: MOST_PLACES }, (_, place) => place));
});

it("begins where we were told, then at a row of our account, then in the gaps, then around the end of the list", () => {
  const listed = [...rows(0, 2, 3, 5), { index: 6, author: account }];
  const next = placesToTry({ account, told: 20, listed, tried: [] });
  expect(next).toEqual([20, 6, 1, 4, 7, 8, 5, 9]);
});

it("stays near the end of a list that is longer than all places that are tried", () => {
  const listed = rows(...Array.from({ length: 500 }, (_, index) => index));
  expect(placesToTry({ account, told: undefined, listed, tried: [] })).toEqual([
    500, 499, 501, 498, 502, 497, 503, 496,
  ]);
});

it("is bounded on a list with more gaps than places", () => {
  const listed = rows(1_000_000_000);
  expect(placesToTry({ account, told: undefined, listed, tried: [] })).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it("takes a post for never mined only by a count that has not passed its first nonce, and no better word of the ledger", () => {
  const facts = { first: 5n, mined: 5n, seen: undefined };
  expect(mayBeMined(facts)).toBe(false);
  expect(mayBeMined({ ...facts, mined: 6n })).toBe(true);
  expect(mayBeMined({ ...facts, mined: undefined })).toBe(true);
  expect(mayBeMined({ ...facts, first: undefined })).toBe(true);
  expect(mayBeMined({ ...facts, seen: 4n })).toBe(false);
  expect(mayBeMined({ ...facts, seen: 5n })).toBe(true);
});

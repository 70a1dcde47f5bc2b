import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import { type BountyLook, lookThrough } from "../../src/market/bounty-list.ts";

const guidAt = (index: number) => `${index}` as Guid;

/** The list of a market: bounty n is called n. A page that is lost cannot be read. */
class Listed {
  length: number;
  requests = 0;
  readonly size: number;
  readonly lost: (page: number) => boolean;

  constructor(length: number, size: number, lost: (page: number) => boolean = () => false) {
    this.length = length;
    this.size = size;
    this.lost = lost;
  }

  async read(page: number): Promise<readonly Guid[]> {
    this.requests++;
    if (this.lost(page)) throw new Error(`page ${page} is lost`);
    const first = page * this.size;
    const count = Math.max(0, Math.min(this.size, this.length - first));
    return Array.from({ length: count }, (_, at) => guidAt(first + at));
  }
}

/** Looks at bounties: those before `bygone` are too old, and each is noted. */
function looker(bygone: number) {
  const looked: number[] = [];
  let most = 0;
  let abreast = 0;
  const look = async (guid: Guid): Promise<BountyLook> => {
    looked.push(Number(guid));
    most = Math.max(most, ++abreast);
    await new Promise((resolve) => setImmediate(resolve));
    abreast--;
    return Number(guid) < bygone ? "long-closed" : "examined";
  };
  return { looked, look, most: () => most };
}

const market = fc
  .record({ length: fc.nat(3_000), size: fc.integer({ min: 1, max: 80 }) })
  .chain(({ length, size }) =>
    fc.record({
      length: fc.constant(length),
      size: fc.constant(size),
      cursor: fc.nat(length + 200),
      open: fc.nat(Math.min(length, 300)),
    }),
  );

describe("looking through the list of bounties", () => {
  it("finds each bounty that may be open and was not examined, once, the newest first, wherever it begins", async () => {
    await fc.assert(
      fc.asyncProperty(market, async ({ length, size, cursor, open }) => {
        const { looked, look, most } = looker(length - open);
        expect(await lookThrough(new Listed(length, size), cursor, look)).toBe(length);
        const wanted = Array.from({ length }, (_, at) => at).filter(
          (at) => at >= Math.max(length - open, Math.min(cursor, length)),
        );
        expect(new Set(looked).size).toBe(looked.length);
        expect(looked).toEqual(expect.arrayContaining(wanted));
        expect(Math.max(...looked, -1)).toBe(length - 1);
        // A few at a time, and no more than those until the first that is bygone.
        expect(most()).toBeLessThanOrEqual(8);
        expect(looked.length).toBeLessThanOrEqual(open + 8);
      }),
      { numRuns: 200 },
    );
  });

  it("asks for a handful of pages, however long the list is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.nat(1_000_000), async (length, cursor) => {
        const listed = new Listed(length, 75);
        await lookThrough(listed, cursor, looker(length).look);
        const pages = Math.abs(length - cursor) / 75;
        // Doubling and bisecting take a request for each bit of the distance; then the last page and the one before.
        const bound = 2 * Math.ceil(Math.log2(pages + 2)) + 4;
        const down = Math.ceil(Math.log2(cursor / 75 + 2)) + 4;
        expect(listed.requests).toBeLessThanOrEqual(cursor > length ? down : bound);
      }),
      { numRuns: 300 },
    );
    const first = new Listed(100_000, 75);
    const { look, looked } = looker(100_000);
    await lookThrough(first, 0, look);
    expect(first.requests).toBeLessThan(30);
    expect(looked.length).toBeLessThanOrEqual(8);
    const quiet = new Listed(100_030, 75);
    await lookThrough(quiet, 100_030, look);
    expect(quiet.requests).toBe(1);
  });

  it("overlaps what it knows by a page, because a reorganisation may have changed it", async () => {
    const { looked, look } = looker(0);
    await lookThrough(new Listed(1_000, 75), 1_000, look);
    expect(Math.min(...looked)).toBe(925);
    // Some were dropped.
    const shorter = looker(0);
    expect(await lookThrough(new Listed(890, 75), 1_000, shorter.look)).toBe(890);
    expect(Math.min(...shorter.looked)).toBe(815);
  });

  it("stays before what nobody could say anything about, until that is bygone", async () => {
    const list = new Listed(200, 75);
    const unsure = (doubtful: number, bygone: number) => async (guid: Guid) =>
      Number(guid) === doubtful ? "unsure" : Number(guid) < bygone ? "long-closed" : "examined";
    expect(await lookThrough(list, 0, unsure(120, 100))).toBe(120);
    expect(await lookThrough(list, 120, unsure(120, 122))).toBe(200);
    expect(await lookThrough(list, 190, unsure(150, 0))).toBe(150);
  });

  it("stays before what a page left out", async () => {
    const whole = new Listed(200, 75);
    let reads = 0;
    const holed = {
      size: 75,
      read: async (page: number) => {
        const guids = await whole.read(page);
        return page === 1 && ++reads > 1 ? guids.slice(0, 70) : guids;
      },
    };
    const { looked, look } = looker(0);
    expect(await lookThrough(holed, 100, look)).toBe(145);
    expect(looked).not.toContain(145);
    expect(looked).toContain(150);
  });

  it("finds every open bounty once the pages that were lost can be read again", async () => {
    await fc.assert(
      fc.asyncProperty(
        market,
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async ({ length, size, cursor: known, open }, chance) => {
          const start = Math.min(known, length - open);
          let trusty = false;
          const list = new Listed(length, size, () => !trusty && chance.next().value === 0);
          const { looked, look } = looker(0);
          let cursor = start;
          for (let attempt = 0; attempt < 10; attempt++) {
            trusty = attempt === 9;
            cursor = await lookThrough(list, cursor, look).catch(() => cursor);
          }
          expect(cursor).toBe(length);
          for (let at = start; at < length; at++) expect(looked).toContain(at);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("gives up on a list that never ends", async () => {
    const endless = { size: 1, read: async (page: number) => [guidAt(page)] };
    await expect(lookThrough(endless, 0, looker(0).look)).rejects.toMatchObject({
      code: "BOUNTY_LIST_ENDLESS",
    });
  });
});

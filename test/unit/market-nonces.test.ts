import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Nonces } from "../../src/market/onchain/transactions/nonces.ts";

const node = (count: bigint, pool: bigint[] = []) => {
  const state = { count, pool, asked: 0 };
  const nonces = new Nonces({
    pendingCount: async () => {
      state.asked++;
      return state.count;
    },
    pool: async () => state.pool,
  });
  return { state, nonces };
};

describe("the nonces", () => {
  it("begin where the node says and go on without asking again", async () => {
    const { nonces, state } = node(7n);
    expect([await nonces.reserve(2), await nonces.reserve(2), await nonces.reserve(1)]).toEqual([
      7n,
      9n,
      11n,
    ]);
    expect(state.asked).toBe(1);
  });

  it("given back are given out again", async () => {
    const { nonces } = node(7n);
    await nonces.reserve(2);
    nonces.giveBack(8n);
    expect(await nonces.reserve(2)).toBe(8n);
  });

  it("in doubt are asked for again, and may be lower", async () => {
    const { nonces, state } = node(7n);
    await nonces.reserve(2);
    nonces.doubt();
    nonces.giveBack(0n);
    state.count = 4n;
    expect(await nonces.reserve(1)).toBe(4n);
  });

  it("fill a gap in the pool when they fit into it, else come behind the pool", async () => {
    expect(await node(4n, [6n, 7n]).nonces.reserve(1)).toBe(4n);
    expect(await node(4n, [6n, 7n]).nonces.reserve(2)).toBe(4n);
    expect(await node(4n, [5n, 7n]).nonces.reserve(2)).toBe(8n);
    expect(await node(4n, [5n, 7n]).nonces.reserve(1)).toBe(4n);
  });

  it("tell of gaps that they left, and of no more than trouble can have made", async () => {
    const { nonces, state } = node(4n, [5n, 8n, 7n]);
    expect([await nonces.reserve(2), nonces.gaps()]).toEqual([9n, [4n, 6n]]);
    expect([await nonces.reserve(2), nonces.gaps()]).toEqual([11n, []]);
    nonces.doubt();
    state.pool = Array.from({ length: 1_000 }, (_, index) => BigInt(5 + 2 * index));
    await nonces.reserve(2);
    expect(nonces.gaps()).toHaveLength(16);
  });

  it("step around the pool after a gap was filled", async () => {
    const { nonces, state } = node(4n, [5n, 7n]);
    expect(await nonces.reserve(1)).toBe(4n);
    state.count = 6n;
    expect(await nonces.reserve(1)).toBe(6n);
    state.count = 8n;
    expect(await nonces.reserve(1)).toBe(8n);
  });

  it("never overlap what the pool holds nor fall below the count", async () => {
    const nonce = fc.bigInt({ min: 0n, max: 30n });
    await fc.assert(
      fc.asyncProperty(
        nonce,
        fc.uniqueArray(nonce),
        fc.integer({ min: 1, max: 4 }),
        async (count, pool, wanted) => {
          const first = await node(count, pool).nonces.reserve(wanted);
          expect(first).toBeGreaterThanOrEqual(count);
          expect(pool.filter((taken) => taken >= first && taken < first + BigInt(wanted))).toEqual([]);
        },
      ),
    );
  });

  it("stay unknown when the node cannot be asked", async () => {
    const nonces = new Nonces({
      pendingCount: () => Promise.reject(new Error("away")),
      pool: async () => [],
    });
    await expect(nonces.reserve(1)).rejects.toThrow("away");
    await expect(nonces.reserve(1)).rejects.toThrow("away");
  });
});

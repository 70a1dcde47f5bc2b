import { describe, expect, it } from "vitest";
import { PoisonMemory } from "../../src/isolation/poison.ts";

describe("what has killed a scanner", () => {
  let now = 0;
  const memory = () => new PoisonMemory({ deaths: 2, forgetMs: 1_000, most: 3 }, () => now);

  it("is refused from its second death on, and nothing else is", () => {
    const poison = memory();
    expect(poison.refusal("a")).toBeUndefined();
    poison.died("a");
    poison.died("b");
    expect(poison.refusal("a")).toBeUndefined();
    poison.died("a");
    expect(poison.refusal("a")).toContain("ended 2 processes");
    expect(poison.refusal("b")).toBeUndefined();
  });

  it("is forgotten some time after its last death", () => {
    const poison = memory();
    poison.died("a");
    now += 900;
    poison.died("a");
    now += 900;
    expect(poison.refusal("a")).toBeDefined();
    now += 100;
    expect(poison.refusal("a")).toBeUndefined();
    poison.died("a");
    expect(poison.refusal("a")).toBeUndefined();
  });

  it("takes no more room than it is given: the longest unseen is forgotten", () => {
    const poison = memory();
    for (const sha256 of ["a", "a", "b", "b", "c", "c"]) poison.died(sha256);
    poison.died("a");
    poison.died("d");
    expect(["a", "b", "c"].map((sha256) => poison.refusal(sha256) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });
});

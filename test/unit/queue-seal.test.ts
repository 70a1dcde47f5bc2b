import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeal, type Sealable } from "../../src/redis/seal.ts";

const kinds = fc.constantFrom<Sealable>("job", "answer");
const values = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
const travel = (wire: unknown): unknown => JSON.parse(JSON.stringify(wire));
const ours = createSeal("our secret of the tests");

describe("a seal", () => {
  it("opens for who has the secret, and gives back what was sealed", () => {
    fc.assert(
      fc.property(kinds, fc.string(), values, (what, id, value) => {
        const opened = ours.open(what, id, travel(ours.close(what, id, value)));
        expect(opened).toEqual({ kind: "genuine", value: travel(value) });
      }),
    );
  });

  it("does not open for another secret, another job, or an answer in place of a job", () => {
    fc.assert(
      fc.property(kinds, fc.string(), values, fc.string({ minLength: 1 }), (what, id, value, more) => {
        const sealed = travel(ours.close(what, id, value));
        const other = what === "job" ? "answer" : "job";
        expect(createSeal("another secret").open(what, id, sealed).kind).toBe("forged");
        expect(ours.open(what, id + more, sealed).kind).toBe("forged");
        expect(ours.open(other, id, sealed).kind).toBe("forged");
      }),
    );
  });

  it("does not open when any character of text or MAC was changed", () => {
    const sealed = ours.close("answer", "a job", { verdict: "benign", detail: "\ufffd" }) as {
      readonly sealed: string;
      readonly mac: string;
    };
    const swap = (text: string, at: number, by: string) => text.slice(0, at) + by + text.slice(at + 1);
    for (const key of ["sealed", "mac"] as const) {
      for (let at = 0; at < sealed[key].length; at++) {
        for (const by of ["", "0", "f", "\ud800"]) {
          const changed = swap(sealed[key], at, by);
          if (changed === sealed[key]) continue;
          expect(ours.open("answer", "a job", { ...sealed, [key]: changed }).kind).toBe("forged");
        }
      }
    }
  });

  it.each([
    [undefined],
    [null],
    ["text"],
    [{}],
    [{ sealed: "{}" }],
    [{ sealed: "{}", mac: 7 }],
    [{ id: "x" }],
  ])("does not open %j, which nobody sealed", (garbage) => {
    expect(ours.open("job", "x", garbage)).toMatchObject({
      kind: "forged",
      why: expect.stringContaining("not sealed with our QUEUE_SECRET"),
    });
  });

  it("is not there without a secret, and what is sealed is turned away with the reason", () => {
    const none = createSeal(undefined);
    const value = { id: "x" };
    expect(none.close("job", "x", value)).toBe(value);
    expect(none.open("job", "x", value)).toEqual({ kind: "genuine", value });
    expect(none.open("job", "x", ours.close("job", "x", value))).toMatchObject({
      kind: "forged",
      why: expect.stringContaining("there is none here"),
    });
  });

  it("never carries its secret", () => {
    expect(JSON.stringify([ours, ours.close("job", "x", {}), ours.open("job", "x", {})])).not.toContain(
      "our secret",
    );
  });
});

import { expect, it } from "vitest";
import { askAhead } from "../../src/producer/answering/ask-ahead.ts";
import { type Filter, parseCondition } from "../../src/triage/filters/filter.ts";
import { slowCondition } from "../fixtures/slow-condition.ts";

const never = new AbortController().signal;
const claims = ["text/html", "a/b", "text/html"].map((mimetype) => ({ mimetype, raw: { mimetype } }));
const filters: readonly Filter[] = [
  { decision: "reject", condition: parseCondition("mimetype", "==", "text/html") },
  { decision: "accept", condition: parseCondition("mimetype", "==", "a/b") },
];

it("rules that were asked ahead answer as they did before, of others too", async () => {
  const asked = await askAhead(filters, claims.slice(0, 2), never);
  expect(asked.map(({ decision, condition }) => `${decision} ${condition.text}`)).toEqual([
    "reject mimetype == text/html",
    "accept mimetype == a/b",
  ]);
  for (const [at, { condition }] of asked.entries()) {
    expect(claims.map((claim) => condition.matches(claim))).toEqual(
      claims.map((claim) => filters[at]!.condition.matches(claim)),
    );
  }
});

it("asks quick rules about all artifacts in one turn", async () => {
  using slow = slowCondition();
  // A clock that stands still: nothing ever takes long by it.
  await askAhead([{ condition: slow.condition }], claims, never, () => 0);
  expect(slow.counted()).toEqual({ asked: 3, inOneTurn: 3 });
});

it("stops asking when nobody wants to know any more", async () => {
  using slow = slowCondition();
  const stopped = AbortSignal.abort(new Error("stopping"));
  await expect(askAhead([{ condition: slow.condition }], claims, stopped)).rejects.toThrow("stopping");
  expect(slow.counted().asked).toBe(1);
});

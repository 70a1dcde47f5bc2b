import { expect, it } from "vitest";
import { STARTING, whatFollows, whereItIs } from "../../src/demo/notes.ts";
import { paceNote } from "../../src/demo/pace.ts";

it("what the demo says beside its board fits a terminal of 80 columns", () => {
  const said = [
    STARTING,
    paceNote(6_000, 3_600),
    whereItIs("http://127.0.0.1:65535", 16),
    ...[1, 8, 10_000].map((bounties) => whatFollows(bounties, 6_000)),
  ];
  const lines = said.flatMap((text) => text!.split("\n"));
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

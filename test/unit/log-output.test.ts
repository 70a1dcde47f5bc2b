import { expect, it } from "vitest";
import { LogOutput } from "../../src/observe/log-output.ts";

/** A reader with so much room, which a test makes more of. */
function reader(room: number) {
  const state = { room, text: "", gone: false };
  const sink = {
    write(bytes: Buffer): number {
      if (state.gone) throw new Error("EPIPE");
      const taken = bytes.subarray(0, state.room);
      state.room -= taken.length;
      state.text += taken.toString();
      return taken.length;
    },
  };
  return { state, sink };
}

it("writes a line before it returns while there is room, and keeps the rest of one that had no room", () => {
  const { state, sink } = reader(7);
  const output = new LogOutput(() => sink);
  output.write("one\n");
  expect(state.text).toBe("one\n");
  output.write("two\n");
  output.write("three\n");
  expect(state.text).toBe("one\ntwo");
  state.room = 1_000;
  output.end();
  expect(state.text).toBe("one\ntwo\nthree\n");
});

it("keeps what there is room for, drops and counts what comes then, and tells of it once the reader reads again", async () => {
  const { state, sink } = reader(0);
  const output = new LogOutput(() => sink, { keptBytes: 12, retryMs: 1 });
  const told: number[] = [];
  output.onDropped((lines) => {
    told.push(lines);
    output.write(`${lines} dropped\n`);
  });
  for (const line of ["aaaaa\n", "bbbbb\n", "ccccc\n", "ddddd\n"]) output.write(line);
  expect([output.dropped, told]).toEqual([2, []]);
  state.room = 1_000;
  await expect.poll(() => state.text).toBe("aaaaa\nbbbbb\n2 dropped\n");
  output.write("eee\n");
  expect(state.text).toBe("aaaaa\nbbbbb\n2 dropped\neee\n");
  expect(told).toEqual([2]);
});

it("drops all that comes after a dropped line until that is told, so that lines are missing in one place only", async () => {
  const { state, sink } = reader(0);
  const output = new LogOutput(() => sink, { keptBytes: 12, retryMs: 1 });
  output.onDropped((lines) => output.write(`${lines} dropped\n`));
  for (const line of ["aaaaa\n", "too long\n", "b\n"]) output.write(line);
  expect(output.dropped).toBe(2);
  state.room = 1_000;
  await expect.poll(() => state.text).toBe("aaaaa\n2 dropped\n");
});

it("tells at the end of the process what was dropped, although there is no room at once for that line either", () => {
  const { state, sink } = reader(0);
  const output = new LogOutput(
    () => ({
      // Room for four bytes, and none until it is asked again.
      write: (bytes) => {
        const room = state.room;
        const taken = sink.write(bytes);
        state.room = room === 0 ? 4 : 0;
        return taken;
      },
    }),
    { keptBytes: 12 },
  );
  output.onDropped((lines) => output.write(`${lines} dropped\n`));
  for (const line of ["aaaaa\n", "bbbbb\n", "ccccc\n"]) output.write(line);
  output.end();
  expect(state.text).toBe("aaaaa\nbbbbb\n1 dropped\n");
});

it("gives up what nobody reads any more, without a word", () => {
  const { state, sink } = reader(1_000);
  const output = new LogOutput(() => sink);
  state.gone = true;
  output.write("one\n");
  output.write("two\n");
  output.end();
  expect(output.dropped).toBe(2);
});

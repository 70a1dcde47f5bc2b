import { describe, expect, it } from "vitest";
import {
  type RateAnswer,
  type RateCounter,
  WINDOW_NAMES,
  WINDOWS,
  type Window,
} from "../../src/domain/rate-limit.ts";

export interface CounterUnderTest extends AsyncDisposable {
  /** Several ways in, as several consumers have them; all count together. */
  readonly ways: readonly RateCounter[];
  /** Seconds since 1970 by the clock that counts. */
  nowS(): Promise<number>;
  /** Makes what was counted in this window, and in shorter ones, a thing of an earlier one. */
  pass(name: string, window: Window): Promise<void>;
}

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

/** Answers that all fell into one window: where it ended in between, everything is asked again by another name. */
async function withinOne(
  window: Window,
  test: CounterUnderTest,
  ask: (name: string) => readonly Promise<RateAnswer>[],
): Promise<readonly RateAnswer[]> {
  const current = async () => Math.floor((await test.nowS()) / WINDOWS[window]);
  for (let attempt = 0; ; attempt++) {
    const before = await current();
    const answers = await Promise.all(ask(`attempt ${attempt}`));
    if ((await current()) === before) return answers;
  }
}

/** What every rate counter promises, whatever it is made of. */
export function describeRateCounter(kind: string, open: () => Promise<CounterUnderTest>): void {
  describe.concurrent(`the ${kind} rate counter`, () => {
    it.each(WINDOW_NAMES)(
      "grants exactly as many of many uses at the same moment as the limit of a %s allows",
      async (window) => {
        await using test = await open();
        const answers = await withinOne(window, test, (name) =>
          times(400, (at) => test.ways[at % test.ways.length]!.use(name, { [window]: 123 }, "take")),
        );
        expect(answers.filter(({ kind }) => kind === "granted")).toHaveLength(123);
        expect(
          new Set(answers.map((answer) => (answer.kind === "refused" ? answer.window : answer.kind))),
        ).toEqual(new Set(["granted", window]));
      },
    );

    it.each(WINDOW_NAMES.filter((window) => window !== "second"))(
      "grants again when the %s is over",
      async (window) => {
        await using test = await open();
        const [counter] = test.ways;
        const take = () => counter!.use("a", { [window]: 1 }, "take");
        expect((await take()).kind).toBe("granted");
        expect(await take()).toMatchObject({ kind: "refused", window });
        await test.pass("a", window);
        expect((await take()).kind).toBe("granted");
      },
    );

    it("grants again when the second is over", async ({ expect }) => {
      await using test = await open();
      const [counter] = test.ways;
      await counter!.use("a", { second: 1 }, "take");
      await test.pass("a", "second");
      await expect.poll(async () => (await counter!.use("a", { second: 1 }, "take")).kind).toBe("granted");
    });

    it("does not count what it refuses, in no window", async () => {
      await using test = await open();
      const [counter] = test.ways;
      for (const expected of ["granted", "granted", "refused", "refused", "refused"]) {
        expect((await counter!.use("a", { minute: 2, hour: 3 }, "take")).kind).toBe(expected);
      }
      await test.pass("a", "minute");
      expect((await counter!.use("a", { minute: 2, hour: 3 }, "take")).kind).toBe("granted");
      expect(await counter!.use("a", { minute: 2, hour: 3 }, "take")).toMatchObject({
        kind: "refused",
        window: "hour",
      });
    });

    it("counts nothing when it is only asked", async () => {
      await using test = await open();
      const [counter] = test.ways;
      for (let time = 0; time < 5; time++) {
        expect((await counter!.use("a", { day: 1 }, "peek")).kind).toBe("granted");
      }
      expect((await counter!.use("a", { day: 1 }, "take")).kind).toBe("granted");
      expect((await counter!.use("a", { day: 1 }, "peek")).kind).toBe("refused");
    });

    it("names the shortest window without room, and when it has some again", async () => {
      await using test = await open();
      const [counter] = test.ways;
      const limits = { hour: 1, day: 1 };
      await counter!.use("a", limits, "take");
      const answer = await counter!.use("a", limits, "take");
      expect(answer).toMatchObject({ kind: "refused", window: "hour" });
      if (answer.kind !== "refused") throw new Error("expected a refusal");
      expect(answer.opensInS).toBeGreaterThan(0);
      expect(answer.opensInS).toBeLessThanOrEqual(3_600);
    });

    it("counts in every window, so that a limit set later knows of what came before", async () => {
      await using test = await open();
      const [counter] = test.ways;
      for (let time = 0; time < 3; time++) await counter!.use("a", { hour: 100 }, "take");
      expect(await counter!.use("a", { day: 3 }, "take")).toMatchObject({ kind: "refused", window: "day" });
    });

    it("counts each name by itself, and grants everything without limits", async () => {
      await using test = await open();
      const [counter] = test.ways;
      expect((await counter!.use("a", { day: 1 }, "take")).kind).toBe("granted");
      expect((await counter!.use("b", { day: 1 }, "take")).kind).toBe("granted");
      expect((await counter!.use("a", {}, "take")).kind).toBe("granted");
    });
  });
}

import fc from "fast-check";
import { expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { nct } from "../../src/domain/nct.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";

function aPurse(balance: bigint) {
  const state = { balance, now: 1, reads: 0 };
  const reservations = new BalanceReservations(
    async () => {
      state.reads++;
      return nct(state.balance);
    },
    { now: () => instant(state.now) },
    100,
  );
  return { state, reservations };
}

it("the purse does not promise the same NCT to two bounties", async () => {
  const { reservations } = aPurse(10n);
  await reservations.refresh();
  reservations.reserve("a", 7n);
  expect(reservations.available()).toBe(3n);
});

it("the purse counts a posted stake once: while promised, then in the balance", async () => {
  const { reservations, state } = aPurse(10n);
  await reservations.refresh();
  reservations.reserve("a", 7n);
  state.now = 50;
  reservations.spent("a");
  state.balance = 3n;
  expect(reservations.available()).toBe(3n);
  state.now = 200;
  await reservations.refresh();
  expect(reservations.available()).toBe(3n);
});

it("the purse gets back what was promised and never posted", async () => {
  const { reservations } = aPurse(10n);
  await reservations.refresh();
  reservations.reserve("a", 7n);
  reservations.release("a");
  expect(reservations.available()).toBe(10n);
});

it("the purse asks the market once for many bounties at the same moment", async () => {
  const { reservations, state } = aPurse(10n);
  await Promise.all([reservations.refresh(), reservations.refresh(), reservations.refresh()]);
  expect(state.reads).toBe(1);
});

it("the purse is empty, not negative, when more was promised than is left", async () => {
  const { reservations } = aPurse(10n);
  await reservations.refresh();
  reservations.reserve("a", 70n);
  expect(reservations.available()).toBe(0n);
});

it("the purse does not take a balance that was asked for before a stake was posted to show that stake", async () => {
  const asked = Promise.withResolvers<ReturnType<typeof nct>>();
  let now = 1;
  const reservations = new BalanceReservations(() => asked.promise, { now: () => instant(now) });
  const refreshed = reservations.refresh();
  reservations.reserve("a", 7n);
  now = 2;
  reservations.spent("a");
  asked.resolve(nct(10n));
  await refreshed;
  expect(reservations.available()).toBe(3n);
});

it("the purse reads the balance again after the clock was set back", async () => {
  const { reservations, state } = aPurse(10n);
  state.now = 5_000;
  await reservations.refresh();
  state.now = 1_000;
  state.balance = 4n;
  await reservations.refresh();
  expect(reservations.available()).toBe(4n);
});

it("the purse gives a posted stake back to nobody when the clock is set back meanwhile", async () => {
  const asked = Promise.withResolvers<ReturnType<typeof nct>>();
  let now = 5_000_000;
  const reservations = new BalanceReservations(() => asked.promise, { now: () => instant(now) });
  const refreshed = reservations.refresh();
  reservations.reserve("a", 7n);
  now -= 3_600_000;
  reservations.spent("a");
  asked.resolve(nct(10n));
  await refreshed;
  expect(reservations.available()).toBe(3n);
});

it("the purse does not hold back for an hour what the balance shows, after the clock was set back by one", async () => {
  const { reservations, state } = aPurse(10n);
  state.now = 5_000_000;
  await reservations.refresh();
  reservations.reserve("a", 7n);
  reservations.spent("a");
  state.balance = 3n;
  state.now -= 3_600_000;
  await reservations.refresh();
  expect(reservations.available()).toBe(3n);
});

/** What can happen to a purse; amounts and steps are drawn. */
type Step =
  | { readonly do: "reserve" | "post" | "release"; readonly of: number }
  | { readonly do: "ask" | "answer" }
  | { readonly do: "clock"; readonly byMs: number };
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom("reserve", "post", "release"), of: fc.nat(5) }),
    fc.record({ do: fc.constantFrom("ask", "answer") }),
    fc.record({ do: fc.constant("clock"), byMs: fc.integer({ min: -3_600_000, max: 86_400_000 }) }),
  ),
  { maxLength: 40 },
);

it("the purse never promises what the wallet does not hold, in whatever order things happen and however the clock steps", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.bigInt({ min: 1n, max: 4n }), async (happening, share) => {
      const wallet = { holds: 1_000n, now: 10_000_000 };
      const promised = new Map<number, bigint>();
      const posted = new Map<number, bigint>();
      let answer = () => {};
      // The oldest balance a gateway can answer with: that of the moment it was asked.
      const reservations = new BalanceReservations(
        () =>
          new Promise(
            (resolve) =>
              (answer = (
                (held) => () =>
                  resolve(nct(held))
              )(wallet.holds)),
          ),
        { now: () => instant(wallet.now) },
      );
      for (const step of happening) {
        if (step.do === "clock") wallet.now += step.byMs;
        if (step.do === "ask") void reservations.refresh();
        if (step.do === "answer") answer();
        if (step.do === "answer") await new Promise(setImmediate);
        if (step.do === "reserve" && !promised.has(step.of) && !posted.has(step.of)) {
          const amount = reservations.available() / share;
          promised.set(step.of, amount);
          reservations.reserve(String(step.of), amount);
        }
        if (step.do === "release" && promised.delete(step.of)) reservations.release(String(step.of));
        const stake = step.do === "post" ? promised.get(step.of) : undefined;
        if (step.do === "post" && stake !== undefined) {
          promised.delete(step.of);
          posted.set(step.of, stake);
          wallet.holds -= stake;
          reservations.spent(String(step.of));
        }
        const owed = [...promised.values()].reduce((sum, amount) => sum + amount, 0n);
        expect(reservations.available()).toBeLessThanOrEqual(wallet.holds - owed);
      }
    }),
  );
});

import { expect, it } from "vitest";
import { instant } from "../../src/domain/chain.ts";
import { nct } from "../../src/domain/nct.ts";
import { Purse } from "../../src/producer/purse.ts";

function aPurse(balance: bigint) {
  const state = { balance, now: 1, reads: 0 };
  const purse = new Purse(
    async () => {
      state.reads++;
      return nct(state.balance);
    },
    { now: () => instant(state.now) },
    100,
  );
  return { state, purse };
}

it("the purse does not promise the same NCT to two bounties", async () => {
  const { purse } = aPurse(10n);
  await purse.refresh();
  purse.reserve("a", 7n);
  expect(purse.available()).toBe(3n);
});

it("the purse counts a posted stake once: while promised, then in the balance", async () => {
  const { purse, state } = aPurse(10n);
  await purse.refresh();
  purse.reserve("a", 7n);
  state.now = 50;
  purse.spent("a");
  state.balance = 3n;
  expect(purse.available()).toBe(3n);
  state.now = 200;
  await purse.refresh();
  expect(purse.available()).toBe(3n);
});

it("the purse gets back what was promised and never posted", async () => {
  const { purse } = aPurse(10n);
  await purse.refresh();
  purse.reserve("a", 7n);
  purse.release("a");
  expect(purse.available()).toBe(10n);
});

it("the purse asks the market once for many bounties at the same moment", async () => {
  const { purse, state } = aPurse(10n);
  await Promise.all([purse.refresh(), purse.refresh(), purse.refresh()]);
  expect(state.reads).toBe(1);
});

it("the purse is empty, not negative, when more was promised than is left", async () => {
  const { purse } = aPurse(10n);
  await purse.refresh();
  purse.reserve("a", 70n);
  expect(purse.available()).toBe(0n);
});

it("the purse does not take a balance that was asked for before a stake was posted to show that stake", async () => {
  const asked = Promise.withResolvers<ReturnType<typeof nct>>();
  let now = 1;
  const purse = new Purse(() => asked.promise, { now: () => instant(now) });
  const refreshed = purse.refresh();
  purse.reserve("a", 7n);
  now = 2;
  purse.spent("a");
  asked.resolve(nct(10n));
  await refreshed;
  expect(purse.available()).toBe(3n);
});

it("the purse reads the balance again after the clock was set back", async () => {
  const { purse, state } = aPurse(10n);
  state.now = 5_000;
  await purse.refresh();
  state.now = 1_000;
  state.balance = 4n;
  await purse.refresh();
  expect(purse.available()).toBe(4n);
});

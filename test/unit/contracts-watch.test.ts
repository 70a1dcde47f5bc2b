import { expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { Fault } from "../../src/domain/fault.ts";
import { instant } from "../../src/domain/instant.ts";
import { learnContracts, watchContracts } from "../../src/market/onchain/chain/contracts-watch.ts";
import { GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const elsewhere = parseAddress("0x8CF7a766FEcD29c8Baf0da7023c788d2F747200D");
const never = new AbortController().signal;
const refused = { guid: GUID, reason: "recipient is another" };

function watch() {
  const market = new HandMarket();
  const honest = market.built;
  const faults: Fault[] = [];
  let now = 1_000;
  let asked = 0;
  market.contracts = async () => {
    asked++;
    return market.built;
  };
  const clock = { now: () => instant(now) };
  watchContracts(
    { market, pins: honest, clock, signal: never, pause: async () => {} },
    (fault) => void faults.push(fault),
  );
  const refuse = async (afterMs: number) => {
    now += afterMs;
    market.tell("refused", refused);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { market, faults, refuse, asked: () => asked };
}

it("a refused transaction alone changes nothing, and the gateway is not asked more often than every ten seconds", async () => {
  const { faults, refuse, asked } = watch();
  await refuse(0);
  await refuse(9_999);
  expect(asked()).toBe(1);
  await refuse(1);
  expect(asked()).toBe(2);
  // Nor never again, when the clock was set back.
  await refuse(-3_600_000);
  expect(asked()).toBe(3);
  expect(faults).toEqual([]);
});

it("a gateway that works with another registry when asked again is told of, once", async () => {
  const { market, faults, refuse } = watch();
  market.built = { ...market.built, registry: elsewhere };
  await refuse(0);
  await refuse(10_000);
  expect(faults).toEqual([expect.objectContaining({ name: "ConfigFault", code: "CONTRACTS_CHANGED" })]);
});

it("a gateway that cannot be asked is asked at the next refusal", async () => {
  const { market, faults, refuse } = watch();
  const answer = market.contracts;
  market.contracts = () => Promise.reject(new Error("Bad Gateway"));
  await refuse(0);
  market.contracts = answer;
  market.built = { ...market.built, chainId: 1n };
  await refuse(10_000);
  expect(faults).toHaveLength(1);
});

it("the contracts are asked for until the gateway says, and given up when that cannot help or takes too long", async () => {
  const market = new HandMarket();
  let asked = 0;
  const trouble = (retryable: boolean) => new Fault("MARKET_FAILED", "It said 502.", { retryable });
  market.contracts = async () => {
    if (++asked === 1) throw trouble(true);
    return market.built;
  };
  expect(await learnContracts(market, {}, 10_000, never)).toEqual(market.built);
  const unknown = { name: "ConfigFault", code: "CONTRACTS_UNKNOWN" };
  market.contracts = () => Promise.reject(trouble(false));
  await expect(learnContracts(market, {}, 60_000, never)).rejects.toMatchObject(unknown);
  market.contracts = () => Promise.reject(trouble(true));
  await expect(learnContracts(market, {}, 0, never)).rejects.toMatchObject(unknown);
  await expect(learnContracts(market, {}, 60_000, AbortSignal.abort(new Error("stopped")))).rejects.toThrow(
    "stopped",
  );
});

it("what one answer alone says of the contracts is neither pinned nor a reason to end", async () => {
  const market = new HandMarket();
  const honest = market.built;
  const answers = [{ ...honest, registry: elsewhere }, honest, honest];
  market.contracts = async () => answers.shift() ?? honest;
  expect(await learnContracts(market, {}, 10_000, never)).toEqual(honest);
  answers.push({ ...honest, chainId: 1n }, honest, honest);
  expect(await learnContracts(market, honest, 10_000, never)).toEqual(honest);

  const { market: watched, faults, refuse } = watch();
  const moved = { ...watched.built, registry: elsewhere };
  const told = [moved, watched.built];
  watched.contracts = async () => told.shift()!;
  await refuse(0);
  expect([faults, told]).toEqual([[], []]);
});

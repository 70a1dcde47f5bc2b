import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { instant } from "../../src/domain/instant.ts";
import type { Ask } from "../../src/market/onchain/http/ask.ts";
import { Gateway, type GatewayOptions } from "../../src/market/onchain/http/http.ts";
import type { Lane } from "../../src/market/onchain/http/lane.ts";
import { OddGateway } from "./odd-gateway.ts";

const LEAST_FIRST: Lane[] = ["read", "settle", "assertion", "reveal"];
const now = Date.parse("2026-11-20T12:00:00Z");

/** Randomness that tells when it was first asked for. */
function openDice() {
  const { promise: thrown, resolve } = Promise.withResolvers<void>();
  const roll = () => {
    resolve();
    return 0.5;
  };
  return { thrown, throw: roll };
}

let dice: ReturnType<typeof openDice>;
let odd: OddGateway;
let gateway: Gateway;

const reach = (options: Partial<GatewayOptions> = {}): Gateway =>
  new Gateway({
    base: odd.url,
    account: parseAddress(`0x${"11".repeat(20)}`),
    chain: "side",
    clock: { now: () => instant(now) },
    random: dice.throw,
    backoffMs: 5,
    pauseMs: 50,
    patienceMs: 200,
    ...options,
  });

beforeEach(async () => {
  dice = openDice();
  odd = await OddGateway.open();
  gateway = reach();
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await odd[Symbol.asyncDispose]();
});

const get = (path: string, more: Partial<Ask> = {}): Ask => ({
  what: `GET ${path}`,
  method: "GET",
  path,
  lane: "read",
  ...more,
});

describe("requests to the gateway", () => {
  it("carry a JSON body with GET too, with integers of any size", async () => {
    odd.on("GET /x", ({ body, headers }) => ({ result: [body, headers["content-type"]] }));
    const body = { amount: 2n ** 200n };
    expect(await gateway.ask(get("/x", { body }))).toEqual([body, "application/json"]);
  });

  it("share kept-alive connections", async () => {
    odd.on("GET /x", { result: 1 });
    for (let i = 0; i < 20; i++) await gateway.ask(get("/x"));
    // A second one is opened while the first is still being put away.
    expect(new Set(odd.asked.map(({ from }) => from)).size).toBeLessThanOrEqual(2);
  });

  it("give up an answer that does not come", async () => {
    odd.on("GET /x", "hang");
    const asking = gateway.ask(get("/x", { timeoutMs: 20, repeatable: false }));
    await expect(asking).rejects.toMatchObject({ code: "MARKET_TIMEOUT", retryable: true, reached: "maybe" });
  });

  it("give up an answer that does not end", async () => {
    odd.on("GET /x", { status: 200, text: JSON.stringify({ status: "OK", result: "x".repeat(2_000) }) });
    await expect(
      gateway.ask(get("/x", { limits: { bytes: 1_000, depth: 9, values: 9 } })),
    ).rejects.toMatchObject({
      code: "MARKET_ANSWER_TOO_LARGE",
    });
    expect(odd.requests("GET /x")).toHaveLength(1);
  });

  it("are not repeated when that might do something twice", async () => {
    odd.on("POST /x", "reset");
    const asking = gateway.ask(get("/x", { method: "POST", body: {} }));
    await expect(asking).rejects.toMatchObject({ code: "MARKET_UNREACHABLE", reached: "maybe" });
    expect(odd.requests("POST /x")).toHaveLength(1);
  });

  it("know when they cannot have arrived", async () => {
    await using nobody = reach({ base: "http://127.0.0.1:1", attempts: 1 });
    await expect(nobody.ask(get("/x"))).rejects.toMatchObject({ code: "MARKET_UNREACHABLE", reached: "no" });
  });

  it("all pause after a 429 and go on with the most urgent first; none is lost", async () => {
    odd.on("GET /first", { status: 429, text: "" }, { result: "first" });
    const limited = gateway.ask(get("/first"));
    // The jitter of the pause is drawn the moment the 429 is understood.
    await dice.thrown;
    const order: Lane[] = [];
    const waiting = LEAST_FIRST.map((lane) => {
      odd.on(`GET /${lane}`, () => {
        order.push(lane);
        return { result: lane };
      });
      return gateway.ask(get(`/${lane}`, { lane }));
    });
    expect(await Promise.all(waiting)).toEqual(LEAST_FIRST);
    expect(await limited).toBe("first");
    expect(order).toEqual(LEAST_FIRST.toReversed());
  });

  it.each([
    ["seconds", "1"],
    ["a date", new Date(now + 1_000).toUTCString()],
  ])("wait for as long as Retry-After says in %s", async (_form, after) => {
    odd.on("POST /x", { status: 429, text: "", headers: { "retry-after": after } }, { result: "done" });
    const began = performance.now();
    expect(await gateway.ask(get("/x", { method: "POST" }))).toBe("done");
    expect(performance.now() - began).toBeGreaterThan(950);
  });

  it("wait for a pause no longer than they can afford", async () => {
    odd.on("POST /x", { status: 429, text: "", headers: { "retry-after": "30" } });
    const ask = get("/x", { method: "POST", patienceMs: 50 });
    const began = performance.now();
    await expect(gateway.ask(ask)).rejects.toMatchObject({ code: "MARKET_RATE_LIMITED", reached: "no" });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it("are tried again no longer than they can afford", async () => {
    odd.on("GET /x", "hang");
    // The patience ends while the first attempt hangs, however late a busy machine's timers are.
    const asking = gateway.ask(get("/x", { timeoutMs: 500, patienceMs: 250 }));
    await expect(asking).rejects.toMatchObject({ code: "MARKET_TIMEOUT" });
    expect(odd.requests("GET /x")).toHaveLength(1);
  });

  it("whose patience ends before the next attempt say what was wrong with the last", async () => {
    odd.on("GET /x", { status: 500, text: "" });
    await using hesitant = reach({ backoffMs: 400 });
    const asking = hesitant.ask(get("/x", { patienceMs: 200 }));
    await expect(asking).rejects.toMatchObject({ code: "MARKET_FAILED" });
  });

  it("that are limited for ever fail in the end", async () => {
    odd.on("GET /x", { status: 429, text: "" });
    await expect(gateway.ask(get("/x"))).rejects.toMatchObject({
      code: "MARKET_RATE_LIMITED",
      retryable: true,
    });
  });

  it("stop downloading at the bytes that are wanted", async () => {
    odd.on("GET /x", "endless");
    const given = odd.abandoned();
    expect(await gateway.head(get("/x"), 1_000)).toHaveLength(1_000);
    await given;
  });

  it.each(["GET", "POST"] as const)("end when the marketplace is left: %s", async (method) => {
    odd.on(`${method} /x`, "hang");
    const arrived = odd.arrival(`${method} /x`);
    const asking = expect(gateway.ask(get("/x", { method }))).rejects.toMatchObject({ code: "MARKET_LEFT" });
    await arrived;
    await gateway[Symbol.asyncDispose]();
    await asking;
    await expect(gateway.ask(get("/x"))).rejects.toMatchObject({ code: "MARKET_LEFT", retryable: false });
  });

  it("do not sit out a pause when the marketplace is left", async () => {
    odd.on("GET /x", { status: 429, text: "", headers: { "retry-after": "30" } });
    odd.on("GET /y", { status: 429, text: "" });
    const asking = [get("/y"), get("/x")].map((ask) =>
      expect(gateway.ask(ask)).rejects.toMatchObject({ code: "MARKET_LEFT" }),
    );
    await dice.thrown;
    await gateway[Symbol.asyncDispose]();
    await Promise.all(asking);
  });
});

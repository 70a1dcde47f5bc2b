import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { joinPolyswarmd, type PolyswarmdOptions } from "../../src/market/onchain/gateway/client.ts";
import { CONTRACT_DEFAULTS } from "../../src/market/onchain/head/terms-watch.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import type { ContractEvents, Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { createLogger } from "../../src/observe/log.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import { type Deed, OddGateway, PARAMETERS, refusal } from "./odd-gateway.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });
const wallet = openSigner(createHash("sha256").update("protocol-ref-key-expert").digest());
const author = `0x${"11".repeat(20)}`;
const guid = uintToGuid(7n);
const BALANCE = `GET /balances/${wallet.address}/nct`;
const ok = (result: unknown): Deed => ({ result });

let gateway: OddGateway;
let market: Marketplace;

beforeEach(async () => {
  gateway = await OddGateway.open();
});
afterEach(async () => {
  await market?.[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

function join(more: Partial<PolyswarmdOptions> = {}): Marketplace {
  market = joinPolyswarmd({
    addr: `${gateway.url}/`,
    chain: "side",
    signer: wallet,
    log,
    clock: systemClock,
    waitMs: 0,
    random: () => 0.5,
    ...more,
    timings: { http: { backoffMs: 5, pauseMs: 20 }, stream: { backoffMs: 5 }, ...more.timings },
  });
  return market;
}
const started = async (more: Partial<PolyswarmdOptions> = {}) => {
  const opened = gateway.connection();
  await join(more).start(AbortSignal.timeout(240_000));
  await opened;
};

/** Resolves with the next event of that name. */
const next = <Name extends keyof ContractEvents>(name: Name): Promise<ContractEvents[Name]> =>
  new Promise((resolve) => market.on(name, (...args) => resolve(args)));
/** Resolves once everything said so far was heard. */
async function heardAll(): Promise<void> {
  const last = new Promise<void>((resolve) =>
    market.on("quorum", ({ guid: of }) => of === uintToGuid(99n) && resolve()),
  );
  gateway.say("quorum", { bounty_guid: uintToGuid(99n) });
  await last;
}
/** Loses the event stream and gets it back. */
async function reconnect(): Promise<void> {
  const lost = next("disconnected");
  const back = next("connected");
  gateway.hangUp();
  await lost;
  await back;
}
const gather = <Name extends keyof ContractEvents>(name: Name, of = market): ContractEvents[Name][] => {
  const all: ContractEvents[Name][] = [];
  of.on(name, (...args) => void all.push(args));
  return all;
};

describe("joining a gateway", () => {
  it("learns the parameters and the block, exactly, and names account and chain on every request", async () => {
    await started();
    expect(market.parameters()).toEqual({
      bountyFee: 62500000000000001n,
      assertionFee: 31250000000000003n,
      bountyAmountMinimum: 2000000000000000000n,
      bidMinimum: 62500000000000001n,
      bidMaximum: 1000000000000000001n,
      revealWindow: 10,
      voteWindow: 100,
      maxDuration: 100,
    });
    expect(market.head()).toBe(100);
    expect(market.connected()).toBe(true);
    for (const { query, headers } of gateway.asked) {
      expect([query.get("account"), query.get("chain")]).toEqual([wallet.address, "side"]);
      expect(headers.authorization).toBeUndefined();
    }
  });

  it("sends the API key, over http only with leave", async () => {
    const apiKey = "0123456789abcdef0123456789abcdef";
    expect(() => join({ apiKey })).toThrow(expect.objectContaining({ code: "API_KEY_OVER_HTTP" }));
    await started({ apiKey, allowKeyOverHttp: true });
    expect(new Set(gateway.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([apiKey]));
  });

  it.each<[string, string, () => void]>([
    ["nobody answers", "POLYSWARMD_UNREACHABLE", () => gateway.on("OPTIONS /wallets/", "reset")],
    [
      "a web site answers",
      "POLYSWARMD_UNREACHABLE",
      () => gateway.on("GET /status", { status: 200, text: "<html>" }),
    ],
    [
      "a web site answers, and says yes to OPTIONS as well",
      "POLYSWARMD_UNREACHABLE",
      () => {
        for (const asked of ["OPTIONS /wallets/", "GET /bounties/parameters"])
          gateway.on(asked, { status: 200, text: "<html>" });
      },
    ],
    [
      "the chain is away",
      "POLYSWARMD_UNREACHABLE",
      () => gateway.on("GET /status", ok({ side: { reachable: false } })),
    ],
    [
      "the key is refused",
      "API_KEY_REFUSED",
      () => gateway.on("GET /bounties/parameters", refusal(401, { status: "FAIL", errors: "Unauthorized" })),
    ],
    [
      "it speaks dialect B",
      "POLYSWARMD_DIALECT_UNSUPPORTED",
      () => gateway.on("OPTIONS /wallets/", { status: 204, text: "" }),
    ],
  ])("gives up at once without patience when %s", async (_name, code, arrange) => {
    arrange();
    await expect(join().start(AbortSignal.timeout(240_000))).rejects.toMatchObject({
      name: "ConfigFault",
      code,
    });
  });

  it("keeps trying as long as it may", async () => {
    gateway.once("OPTIONS /wallets/", "reset");
    await started({ waitMs: 30_000 });
    expect(market.connected()).toBe(true);
  });

  it("does without the status, which fails as a whole when anything behind the gateway does: the first block is enough", async () => {
    gateway.on("GET /status", refusal(500, { message: "HTTPConnectionPool(host='ipfs', port=5001)" }));
    const connected = gateway.connection();
    const starting = join({ waitMs: 30_000 }).start(AbortSignal.timeout(20_000));
    await connected;
    gateway.say("block", { number: 4_711 });
    await starting;
    expect(market.head()).toBe(4_711);
  });

  it("asks again for parameters that are refused for a moment, because the gateway repeats an error that it met", async () => {
    const poisoned = refusal(400, { status: "FAIL", errors: "Could not retrieve parameters" });
    gateway.once("GET /bounties/parameters", poisoned, poisoned);
    await started({ waitMs: 30_000 });
    expect(market.parameters().revealWindow).toBe(10);
  });

  it("works with what an earlier run knew until somebody answers, and then believes two answers that agree", async () => {
    gateway.on("GET /status", refusal(500, { message: "down" }));
    gateway.on("GET /bounties/parameters", refusal(400, { status: "FAIL", errors: "poisoned" }));
    const remembered = { ...CONTRACT_DEFAULTS, revealWindow: 25 };
    join({ remembered, waitMs: 0, timings: { termsPauseMs: 10 } });
    const connected = gateway.connection();
    market.open();
    await connected;
    gateway.say("block", { number: 4_711 });
    await market.reached(AbortSignal.timeout(20_000));
    expect([market.head(), market.parameters(), market.parametersKnown()]).toEqual([
      4_711,
      remembered,
      false,
    ]);
    gateway.on("GET /bounties/parameters", ok(PARAMETERS));
    await expect.poll(() => market.parametersKnown()).toBe(true);
    expect(market.parameters().revealWindow).toBe(10);
  });

  it("stops trying when told to", async () => {
    gateway.on("GET /status", "hang");
    const stop = new AbortController();
    const starting = join({ waitMs: 60_000 }).start(stop.signal);
    stop.abort(new Error("stopped"));
    await expect(starting).rejects.toThrow("stopped");
  });
});

describe("asking", () => {
  beforeEach(() => started());

  it.each<[string, Deed, object]>([
    [
      "a string",
      refusal(400, { status: "FAIL", errors: "Invalid address" }),
      { code: "MARKET_REFUSED", retryable: false, messages: ["Invalid address"] },
    ],
    [
      "a list",
      refusal(400, { status: "FAIL", errors: [{ is_error: true, message: "one" }, "two"] }),
      { messages: ["one", "two"] },
    ],
    ["an object", refusal(400, { status: "FAIL", errors: { errors: ["inner"] } }), { messages: ["inner"] }],
    [
      "a message alone",
      refusal(405, { message: "Method not allowed" }),
      { code: "MARKET_REFUSED", status: 405, messages: ["Method not allowed"] },
    ],
    [
      "failure with 200",
      { status: 200, text: `{"status":"FAIL","errors":"odd"}` },
      { code: "MARKET_REFUSED", messages: ["odd"] },
    ],
    ["404", refusal(404, { message: "nope" }), { code: "MARKET_NOT_FOUND", retryable: false }],
    [
      "403",
      { status: 403, text: "Forbidden" },
      { code: "MARKET_UNAUTHORIZED", retryable: false, messages: [] },
    ],
    [
      "500",
      refusal(500, { message: "Internal server error" }),
      { code: "MARKET_FAILED", retryable: true, status: 500 },
    ],
    [
      "HTML of a proxy",
      { status: 502, text: "<html><h1>Bad gateway" },
      { code: "MARKET_FAILED", retryable: true },
    ],
    ["HTML with 200", { status: 200, text: "<html>" }, { code: "MARKET_ANSWER_UNREADABLE" }],
    [
      "truncated JSON",
      { status: 200, text: `{"status":"OK","result":"12` },
      { code: "MARKET_ANSWER_UNREADABLE" },
    ],
    ["nothing", { status: 200, text: "" }, { code: "MARKET_ANSWER_UNREADABLE" }],
    ["nonsense", ok({ balance: [] }), { code: "MARKET_ANSWER_UNREADABLE", retryable: true }],
    ["a closed connection", "reset", { code: "MARKET_UNREACHABLE", retryable: true }],
  ])("tells what was wrong when the answer is %s", async (_name, deed, fault) => {
    gateway.on(BALANCE, deed);
    await expect(market.balance()).rejects.toMatchObject({ name: "MarketFault", ...fault });
  });

  it("reads again after trouble in between, and keeps every digit", async () => {
    gateway.on(
      BALANCE,
      "reset",
      { status: 503, text: "<html>" },
      { status: 200, text: "{" },
      ok("5424999999999999997"),
    );
    expect(await market.balance()).toBe(5424999999999999997n);
    expect(gateway.requests(BALANCE)).toHaveLength(4);
  });

  it("repeats what was rate limited after the pause it was asked for", async () => {
    gateway.on(
      BALANCE,
      { status: 429, text: "slow down", headers: { "retry-after": "0" } },
      { status: 429, text: "" },
      ok("1"),
    );
    expect(await market.balance()).toBe(1n);
  });

  it("ends with the caller's reason when the caller gives up", async () => {
    gateway.on(BALANCE, "hang");
    const stop = new AbortController();
    const asking = market.balance(stop.signal);
    stop.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
  });

  it("takes both answers to an unknown bounty for an unknown bounty", async () => {
    for (const answer of [
      refusal(400, { status: "FAIL", errors: "Invalid IPFS URI" }),
      refusal(404, { status: "FAIL", errors: "Bounty not found" }),
    ]) {
      gateway.on(`GET /bounties/${guid}`, answer);
      expect(await market.bounty(guid)).toBeNull();
    }
  });

  it("gets a bounty with a claim for every artifact, whatever the metadata", async () => {
    const raw = {
      guid,
      artifact_type: "FILE",
      author,
      amount: "5000000000000000001",
      uri: "Qm",
      num_artifacts: 2,
      expiration: 1020,
    };
    const claims: unknown[] = [];
    for (const metadata of [[{ filename: "a.exe", filesize: "7", sha256: "x" }], "Qmdead", null, [1, 2, 3]]) {
      gateway.on(`GET /bounties/${guid}`, ok({ ...raw, metadata }));
      const bounty = await market.bounty(guid);
      expect(bounty).toMatchObject({
        guid,
        kind: "file",
        amount: 5000000000000000001n,
        artifactCount: 2,
        details: { expiration: 1020 },
      });
      claims.push(bounty?.claims.map(({ filename, sizeBytes, sha256 }) => [filename, sizeBytes, sha256]));
    }
    const nothing = [undefined, undefined, undefined];
    expect(claims).toEqual([
      [["a.exe", 7, undefined], nothing],
      [nothing, nothing],
      [nothing, nothing],
      [nothing, nothing],
    ]);
  });

  it("refuses a bounty that is not the one it asked for", async () => {
    gateway.on(
      `GET /bounties/${guid}`,
      ok({
        guid: uintToGuid(8n),
        artifact_type: "file",
        author,
        amount: "1",
        uri: "Qm",
        num_artifacts: 1,
        expiration: 1,
        metadata: null,
      }),
    );
    await expect(market.bounty(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_UNREADABLE" });
  });

  it("stops downloading an artifact at the bytes it wants, also when the server ignores the range", async () => {
    gateway.on("GET /artifacts/Qm/0", { status: 200, text: "x".repeat(20_000_000) });
    const head = await market.artifactHead("Qm", 0, 1_000);
    expect([head.length, head[0], head.at(-1)]).toEqual([1_000, 120, 120]);
    expect(gateway.requests("GET /artifacts/Qm/0")[0]?.headers.range).toBe("bytes=0-999");
    gateway.on("GET /artifacts/Qm/1", { status: 206, text: "abc" });
    expect(Buffer.from(await market.artifactHead("Qm", 1, 1_000)).toString()).toBe("abc");
    gateway.on("GET /artifacts/Qm/2", { status: 416, text: "" });
    expect(await market.artifactHead("Qm", 2, 1_000)).toHaveLength(0);
  });

  it("tries an artifact again that is not found at first, but not for ever", async () => {
    gateway.on("GET /artifacts/Qm/0", refusal(404, { message: "not found" }), { status: 200, text: "here" });
    expect(await market.artifactHead("Qm", 0, 4)).toHaveLength(4);
    gateway.on("GET /artifacts/Qm/1", refusal(404, { message: "not found" }));
    await expect(market.artifactHead("Qm", 1, 4)).rejects.toMatchObject({ code: "MARKET_NOT_FOUND" });
  });

  it("lists assertions by position and passes over malformed ones", async () => {
    const entry = {
      author,
      mask: [true, false],
      commitment: "9",
      nonce: "0",
      verdicts: [null, null],
      metadata: "",
      bid: ["5"],
    };
    gateway.on(
      `GET /bounties/${guid}/assertions`,
      ok([entry, { author: 1 }, { ...entry, nonce: "4" }, { ...entry, nonce: "4", verdicts: [false, true] }]),
    );
    expect(await market.assertions(guid)).toEqual([
      { guid, index: 0, author, bids: [5n], mask: 1n, commitment: 9n, revealed: false },
      { guid, index: 2, author, bids: [5n], mask: 1n, commitment: 9n, revealed: true },
      { guid, index: 3, author, bids: [5n], mask: 1n, commitment: 9n, revealed: true, verdicts: 2n },
    ]);
    // Else an answer gone wrong would look as if nobody had asserted, and a stake would be given up.
    gateway.on(`GET /bounties/${guid}/assertions`, ok({ assertions: [entry] }));
    await expect(market.assertions(guid)).rejects.toMatchObject({ code: "MARKET_ANSWER_UNREADABLE" });
  });
});

describe("the event stream", () => {
  const bounty = {
    guid,
    artifact_type: "file",
    author,
    amount: "5",
    uri: "Qm",
    expiration: "1020",
    metadata: "",
  };

  it("passes events on from binary and text frames, exactly once each", async () => {
    await started();
    const bounties = gather("bounty");
    const settled = gather("settled");
    const more = { block_number: 1000, txhash: `0x${"AB".repeat(32)}` };
    gateway.say("bounty", bounty, more);
    gateway.say("bounty", bounty, more);
    gateway.say("bounty", bounty, { ...more, txhash: "ab".repeat(32) });
    gateway.say("bounty", { ...bounty, guid: uintToGuid(8n) }, more);
    gateway.sayRaw(
      `{"event":"settled_bounty","data":{"bounty_guid":"${guid}","settler":"${author}","payout":5424999999999999997}}`,
    );
    await heardAll();
    expect(bounties.map(([notice]) => [notice.guid, notice.expiration, notice.postedIn])).toEqual([
      [guid, 1020, 1000],
      [uintToGuid(8n), 1020, 1000],
    ]);
    expect(settled).toEqual([[{ guid, settler: author, payout: 5424999999999999997n }]]);
  });

  it("counts what makes no sense, passes over what is unknown, and goes on", async () => {
    const malformed: string[] = [];
    await started({ onMalformedEvent: (event) => void malformed.push(event) });
    const heard = gather("bounty");
    gateway.sayRaw("{ not json");
    gateway.sayRaw("[]");
    gateway.sayRaw(Buffer.from([0xff, 0x00]));
    gateway.say("bounty", { ...bounty, expiration: -1 });
    gateway.say("bounty", { ...bounty, guid: "not a guid" });
    gateway.say("quorum", null);
    gateway.say("block", { number: "soon" });
    gateway.say("constructor", {});
    gateway.say("brand_new", {});
    gateway.say("initialized_channel", {});
    gateway.say("bounty", bounty);
    await heardAll();
    expect(malformed).toEqual([
      "(no event)",
      "(no event)",
      "(no event)",
      "bounty",
      "bounty",
      "quorum",
      "block",
    ]);
    expect(heard).toHaveLength(1);
  });

  it("survives a listener that throws", async () => {
    await started();
    market.on("bounty", () => {
      throw new Error("a fault of ours");
    });
    const heard = gather("bounty");
    gateway.say("bounty", bounty);
    await heardAll();
    expect(heard).toHaveLength(1);
  });

  it("takes frames of several MiB", async () => {
    await started();
    const heard = next("bounty");
    const metadata = Array.from({ length: 256 }, () => ({ filename: "x".repeat(20_000) }));
    gateway.say("bounty", { ...bounty, metadata });
    expect((await heard)[0].guid).toBe(bounty.guid);
  });

  it("asks for the parameters when events tell of other fees and windows, until a node that was behind knows them", async () => {
    await started({ timings: { termsPauseMs: 10 } });
    const asked = gateway.requests("GET /bounties/parameters").length;
    const old = { result: PARAMETERS };
    const changed = {
      assertion_fee: 99999999999999999n,
      assertion_reveal_window: 12,
      arbiter_vote_window: 90,
    };
    gateway.on("GET /bounties/parameters", old, { result: { ...PARAMETERS, ...changed } });
    const change = next("parameters");
    gateway.say("fee_update", { bounty_fee: PARAMETERS.bounty_fee, ...changed });
    gateway.say("window_update", changed);
    const [parameters] = await change;
    expect(parameters).toMatchObject({ assertionFee: 99999999999999999n, revealWindow: 12, voteWindow: 90 });
    expect(market.parameters()).toEqual(parameters);
    expect(gateway.requests("GET /bounties/parameters")).toHaveLength(asked + 2);
  });

  it("does not believe a single answer about the parameters, and corrects the first one when it was wrong", async () => {
    const wrong = { result: { ...PARAMETERS, assertion_reveal_window: 1 } };
    const right = { result: PARAMETERS };
    gateway.on("GET /bounties/parameters", wrong, right);
    const changes = gather("parameters", join({ timings: { termsPauseMs: 10, termsRefreshMs: 20 } }));
    await market.start(AbortSignal.timeout(10_000));
    expect(market.parameters().revealWindow).toBe(1);
    await expect.poll(() => market.parameters().revealWindow).toBe(10);
    gateway.on("GET /bounties/parameters", right, wrong, right);
    const asked = gateway.requests("GET /bounties/parameters").length;
    await expect.poll(() => gateway.requests("GET /bounties/parameters").length).toBeGreaterThan(asked + 4);
    expect(changes.map(([{ revealWindow }]) => revealWindow)).toEqual([1, 10]);
    expect(market.parametersKnown()).toBe(true);
  });

  it("believes no event about fees and windows, and asks once in a while however often it is said", async () => {
    await started({ timings: { termsPauseMs: 60_000 } });
    const known = market.parameters();
    const asked = gateway.requests("GET /bounties/parameters").length;
    const answered = gateway.arrival("GET /bounties/parameters");
    for (let times = 0; times < 100; times++)
      gateway.say("window_update", { assertion_reveal_window: 0, arbiter_vote_window: times });
    await Promise.all([answered, heardAll()]);
    expect(market.parameters()).toEqual(known);
    // Who asks directly gets the answer; everybody else when it was given twice.
    gateway.fee = 40000000000000001n;
    const fresh = { ...known, assertionFee: 40000000000000001n };
    expect(await market.freshParameters()).toEqual(fresh);
    expect([market.parameters(), market.parametersKnown()]).toEqual([known, false]);
    expect(await market.freshParameters()).toEqual(fresh);
    expect([market.parameters(), market.parametersKnown()]).toEqual([fresh, true]);
    expect(gateway.requests("GET /bounties/parameters")).toHaveLength(asked + 3);
  });

  it("counts blocks upwards only", async () => {
    await started();
    const blocks = gather("block");
    for (const number of [101, 101, 103, 102, 103, 104]) gateway.say("block", { number });
    await heardAll();
    expect(blocks.map(([{ number }]) => number)).toEqual([101, 103, 104]);
    expect(market.head()).toBe(104);
  });

  it("comes back after a broken connection, asks for the parameters again and follows a chain that restarted", async () => {
    await started({ timings: { termsPauseMs: 10 } });
    gateway.fee = 40000000000000001n;
    gateway.head = 3;
    const change = next("parameters");
    await reconnect();
    await change;
    expect(market.parameters().assertionFee).toBe(40000000000000001n);
    const heard = next("block");
    gateway.say("block", { number: 4 });
    expect((await heard)[0].number).toBe(block(4));
    expect(market.head()).toBe(4);
  });

  it("tells of the newest block after a reconnect, also when it is the one it knew", async () => {
    await started();
    for (const number of [100, 160]) {
      gateway.head = number;
      const heard = next("block");
      await reconnect();
      expect((await heard)[0].number).toBe(number);
    }
  });

  it("believes no block far away that only one message speaks of, first after a reconnect or not", async () => {
    await started();
    const blocks = gather("block");
    gateway.say("block", { number: 101 });
    gateway.head = 102;
    gateway.say("block", { number: 17_000_000 });
    await gateway.arrival("GET /status");
    await reconnect();
    gateway.say("block", { number: 17_000_001 });
    gateway.say("block", { number: 103 });
    await heardAll();
    expect(new Set(blocks.map(([{ number }]) => number))).toEqual(new Set([101, 102, 103]));
    gateway.head = 17_000_000;
    expect(await market.freshHead()).toBe(17_000_000);
    expect(market.head()).toBe(103);
  });

  it("does not ask the gateway about every odd block of a stream of them", async () => {
    await started();
    gateway.asked.splice(0);
    const checked = gateway.arrival("GET /status");
    for (let number = 10; number < 60; number++) gateway.say("block", { number: 1_000_000 * number });
    await heardAll();
    await checked;
    gateway.say("block", { number: 101 });
    await heardAll();
    expect(market.head()).toBe(101);
    expect(gateway.requests("GET /status").length).toBe(1);
  });

  it("is hours ahead at once when the gateway, asked, agrees with the stream", async () => {
    await started();
    gateway.head = 9_000;
    const heard = next("block");
    gateway.say("block", { number: 9_001 });
    expect((await heard)[0].number).toBe(9_001);
  });

  it("takes silence for a broken connection", async () => {
    await started({ timings: { stream: { backoffMs: 5, minSilenceMs: 50, maxSilenceMs: 100 } } });
    gateway.say("block", { number: 101 });
    const [{ reason }] = await next("disconnected");
    expect(reason).toMatch(/no block for \d+ ms/);
    await next("connected");
  });

  it("is asked for blocks while its stream says nothing, so that what was promised is kept", async () => {
    await started({ timings: { quietMs: 20 } });
    gateway.head = 105;
    expect(await next("block")).toEqual([{ number: 105 }]);
    gateway.head = 106;
    expect(await next("block")).toEqual([{ number: 106 }]);
  });

  it("can be worked with although its stream cannot be had", async () => {
    gateway.refuseStreams();
    await join({ timings: { quietMs: 20, streamPatienceMs: 50 } }).start(AbortSignal.timeout(240_000));
    expect(market.connected()).toBe(false);
    gateway.head = 105;
    expect(await next("block")).toEqual([{ number: 105 }]);
  });

  it("comes back less and less often to a gateway that greets and hangs up, until it hears a block", async () => {
    const waits: number[] = [];
    const logged = new EventEmitter();
    const telling = pino(
      { level: "warn" },
      {
        write(line: string) {
          waits.push(JSON.parse(line).retryInMs);
          logged.emit("wait");
        },
      },
    );
    await started({ log: telling, timings: { stream: { backoffMs: 8 } } });
    const lose = async () => {
      const again = gateway.connection();
      const said = once(logged, "wait");
      gateway.hangUp();
      await said;
      await again;
    };
    for (let i = 0; i < 4; i++) await lose();
    const back = next("connected");
    await back;
    gateway.say("block", { number: 101 });
    await heardAll();
    await lose();
    expect(waits).toEqual([6, 12, 24, 48, 6]);
  });

  it("is closed when the market is left", async () => {
    const opened = gateway.connection();
    await join().start(AbortSignal.timeout(240_000));
    const socket = await opened;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await market[Symbol.asyncDispose]();
    await closed;
    expect(market.connected()).toBe(false);
  });
});

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { aBounty } from "../fixtures/bounties.ts";
import { AnswerOnlyMarket } from "../fixtures/markets/answer-only-market.ts";
import { type Pushed, PushMarket } from "../fixtures/markets/push-market.ts";
import { startToyEngine } from "../fixtures/markets/toy-engine.ts";

const PUSH_ENGINE = new URL("../fixtures/markets/push-engine.ts", import.meta.url);
const guidOf = (number: number): Guid => uintToGuid(BigInt(number));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "toy-markets-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

const bountyOn = (market: string, number: number) =>
  aBounty({
    guid: guidOf(number),
    market,
    uri: "https://artifacts.example/1",
    artifactCount: 1,
    claims: [{ raw: {} }],
    details: { closesAt: Date.now() + 240_000 },
  });

const settled = (ledger: Ledger, market: string, number: number) =>
  expect.poll(() => ledger.find({ market, guid: guidOf(number) })?.state).toBe("settled");

/** Takes answers, each by its path; so many first ones are answered 500. */
async function answerServer(failures = 0) {
  const answers: string[] = [];
  let left = failures;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      answers.push(`${request.url} ${body}`);
      response.writeHead(left-- > 0 ? 500 : 200).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    answers,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const push = async (url: string, pushed: Pushed): Promise<number> => {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(pushed) });
  await answer.body?.cancel();
  return answer.status;
};

const pushedOf = (number: number, answerTo: string): Pushed => ({
  guid: guidOf(number),
  uri: "https://artifacts.example/1",
  answerTo: `${answerTo}/${number}`,
  closesAt: Date.now() + 240_000,
});

describe("a market where the answer is all", () => {
  it("is answered without a stake, a reveal or a settlement of its own, found in its list or heard of", async () => {
    using ledger = openLedger(file, systemClock);
    await using market = new AnswerOnlyMarket("plain", systemClock);
    market.post(bountyOn("plain", 1));
    await using _engine = await startToyEngine(market, { ledger, tell: () => {} });
    await settled(ledger, "plain", 1);
    market.post(bountyOn("plain", 2));
    await settled(ledger, "plain", 2);
    expect(market.answers.map((body) => JSON.parse(body))).toEqual([
      { guid: guidOf(1), mask: "1", verdicts: "1" },
      { guid: guidOf(2), mask: "1", verdicts: "1" },
    ]);
    const key = { market: "plain", guid: guidOf(1) };
    expect(ledger.assertion(key)).toMatchObject({ stake: 0n, fee: 0n, payout: 0n });
    expect([ledger.atRisk("plain"), ledger.summary().staked]).toEqual([0n, 0n]);
  });

  it("is sent the same bytes again until it takes them", async () => {
    using ledger = openLedger(file, systemClock);
    await using market = new AnswerOnlyMarket("plain", systemClock);
    market.refusals = 3;
    const told: string[] = [];
    await using _engine = await startToyEngine(market, { ledger, tell: (event) => void told.push(event) });
    market.post(bountyOn("plain", 1));
    await settled(ledger, "plain", 1);
    expect(new Set(market.answers).size).toBe(1);
    expect(market.answers).toHaveLength(4);
    // It is tried at every moment: the same reason is told once.
    expect(told.filter((event) => event === "duty.failed")).toHaveLength(1);
  });

  it("does not mix with another in the same ledger", async () => {
    using ledger = openLedger(file, systemClock);
    await using one = new AnswerOnlyMarket("one", systemClock);
    await using two = new AnswerOnlyMarket("two", systemClock);
    await using _first = await startToyEngine(one, { ledger, tell: () => {} });
    await using _second = await startToyEngine(two, { ledger, tell: () => {} });
    one.post(bountyOn("one", 1));
    two.post(bountyOn("two", 1));
    await settled(ledger, "one", 1);
    await settled(ledger, "two", 1);
    expect([one.answers.length, two.answers.length]).toEqual([1, 1]);
  });
});

describe("a market that pushes bounties and never says them again", () => {
  it("is refused while bounties are not taken up, and acknowledged when a bounty is in the ledger", async () => {
    using ledger = openLedger(file, systemClock);
    await using answers = await answerServer(2);
    await using market = new PushMarket("pushing", systemClock);
    const url = await market.url();
    expect(await push(url, pushedOf(1, answers.url))).toBe(503);
    await using _engine = await startToyEngine(market, { ledger, tell: () => {} });
    expect(await push(url, pushedOf(2, answers.url))).toBe(200);
    expect(ledger.find({ market: "pushing", guid: guidOf(2) })).toBeDefined();
    // Said twice all the same, it is answered once.
    expect(await push(url, pushedOf(2, answers.url))).toBe(200);
    await settled(ledger, "pushing", 2);
    expect(new Set(answers.answers)).toEqual(
      new Set([`/2 ${JSON.stringify({ guid: guidOf(2), mask: "1", verdicts: "1" })}`]),
    );
    expect(answers.answers).toHaveLength(3);
    expect(await push(url, { ...pushedOf(3, answers.url), guid: "none" })).toBe(400);
  });

  it("is answered by the next process, once, when the one that acknowledged is killed before it could", async () => {
    await using answers = await answerServer();
    const first = await startProcess("silent");
    expect(await push(first.url, pushedOf(1, answers.url))).toBe(200);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await startProcess("eager");
    await second.heard("assertion.planned");
    await expect.poll(() => answers.answers).toHaveLength(1);
    expect(answers.answers[0]).toMatch(/^\/1 /);
    second.child.disconnect();
    await once(second.child, "exit");
    using ledger = openLedger(file, systemClock);
    expect(ledger.find({ market: "pushing", guid: guidOf(1) })?.state).toMatch(/posting|asserted|settled/);
  });

  async function startProcess(how: "eager" | "silent") {
    const child: ChildProcess = fork(PUSH_ENGINE, [file, how], { execArgv: [] });
    const messages: { readonly url?: string; readonly event?: string }[] = [];
    child.on("message", (message: (typeof messages)[number]) => void messages.push(message));
    const told = (isIt: (message: (typeof messages)[number]) => boolean) =>
      expect.poll(() => messages.find(isIt)).toBeDefined();
    await told(({ url }) => url !== undefined);
    const url = messages.find((message) => message.url !== undefined)?.url ?? "";
    return { child, url, heard: (event: string) => told((message) => message.event === event) };
  }
});

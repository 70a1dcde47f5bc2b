import { describe, type ExpectStatic, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";
import { Meddler } from "./meddler.ts";

const DURATION = 16;
const REVEAL_WINDOW = 8;

interface Fields {
  readonly [name: string]: unknown;
}

/** A producer behind a gateway that can be made to lie, with a bounty of its own. */
async function scene(lie: (meddler: Meddler) => void = () => {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const sandbox = stack.use(await openMarket(folder, { revealWindow: REVEAL_WINDOW, rivals: 0 }));
  const meddler = stack.use(await Meddler.open(sandbox.url));
  lie(meddler);
  const producer = stack.use(new EngineProcess([...producerFlags(meddler.url, folder), "--embedded", "1"]));
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  const lifetime = stack.move();
  const post = () =>
    sandbox.postBounty({ contents: [EICAR], truth: [true], duration: DURATION, reward: REWARD });
  return { folder, sandbox, meddler, producer, post, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

/** What was asserted is revealed before the window is over; resolves to how many that was. Tests that run at once have an `expect` each. */
async function revealedInTime(
  { sandbox, folder }: Awaited<ReturnType<typeof scene>>,
  expect: ExpectStatic,
): Promise<number> {
  const end = (await sandbox.chain.head()) + DURATION + REVEAL_WINDOW + 2;
  await expect.poll(() => sandbox.chain.head()).toBeGreaterThan(end);
  const { asserted, revealed } = await deedsOnChain(sandbox);
  expect(revealed).toBe(asserted);
  expect(readLedger(folder).revealsMissed).toBe(0);
  return asserted ?? 0;
}

const windowOf = (blocks: number) =>
  stringifyJson({
    event: "window_update",
    data: { assertion_reveal_window: blocks, arbiter_vote_window: 12 },
  });

describe.concurrent("a producer that is told wrong numbers", () => {
  it("reveals on time while the event stream is open and says nothing", async ({ expect }) => {
    await using test = await scene();
    await test.post();
    await test.producer.told("assertion.posted");
    test.meddler.meddle = () => [];
    expect(await revealedInTime(test, expect)).toBe(1);
  });

  it("reveals on time although event and gateway say that the reveal window is 0 blocks", async ({
    expect,
  }) => {
    await using test = await scene();
    await test.post();
    await test.producer.told("assertion.posted");
    test.meddler.alter(/^GET \/bounties\/parameters\?/, (truth) => ({
      ...(truth as Fields),
      assertion_reveal_window: 0,
    }));
    test.meddler.say(windowOf(0));
    expect(await revealedInTime(test, expect)).toBe(1);
  });

  it("loses no stake on a bounty whose expiration is told 30 blocks too late, once", async ({ expect }) => {
    await using test = await scene((meddler) => {
      let told = false;
      meddler.alter(/^GET \/bounties\/([-0-9a-f]{36})\?/, (truth) => {
        if (told) return truth;
        told = true;
        const bounty = truth as Fields;
        return { ...bounty, expiration: Number(bounty.expiration) + 30 };
      });
    });
    await test.post();
    expect(await revealedInTime(test, expect)).toBe(1);
  });

  it("corrects an expiration that was told wrongly until it had asserted, and reveals on time", async ({
    expect,
  }) => {
    let lying = true;
    const late = (bounty: Fields) => ({ ...bounty, expiration: Number(bounty.expiration) + 30 });
    await using test = await scene((meddler) => {
      meddler.alter(/^GET \/bounties\/([-0-9a-f]{36})\?/, (truth) => (lying ? late(truth as Fields) : truth));
      meddler.meddle = (frame) => {
        const { event, data, ...rest } = parseJson(frame.toString()) as { event: string; data: Fields };
        return [event === "bounty" ? stringifyJson({ event, data: late(data), ...rest }) : frame];
      };
    });
    void test.producer.told("assertion.posted").then(() => {
      lying = false;
    });
    await test.post();
    await test.producer.told("bounty.expiration-corrected");
    expect(await revealedInTime(test, expect)).toBe(1);
  });

  it("follows the event stream although the status names the same block for ever", async ({ expect }) => {
    await using test = await scene((meddler) => {
      meddler.alter(/^GET \/status/, (truth) => ({
        ...(truth as Fields),
        side: { reachable: true, block: 3_000 },
      }));
    });
    const frozen = await test.sandbox.chain.head();
    await expect.poll(() => test.sandbox.chain.head()).toBeGreaterThan(frozen + 5);
    await test.post();
    await test.producer.told("assertion.posted");
    expect(await revealedInTime(test, expect)).toBe(1);
  });
});

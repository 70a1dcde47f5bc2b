import { describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";

const AHEAD = "SIGUSR2";
const BACK = "SIGWINCH";
const steppingClock = new URL("../fixtures/stepping-clock.ts", import.meta.url);
const env = { NODE_OPTIONS: `--import ${steppingClock.href}` };

const hourOf = (time: unknown): number => Math.round((Date.parse(String(time)) - Date.now()) / 3_600_000);

describe("a machine whose clock is set by hours", () => {
  it("answers, reveals and settles everything, whichever way its clock was set and whatever was promised by then", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const sandbox = stack.use(await openMarket(folder));
    const redis: RedisServer = stack.use(await startRedis());
    const shared = ["--redis-addr", redis.address];
    const producer = stack.use(new EngineProcess([...producerFlags(sandbox.url, folder), ...shared], env));
    const consumer = stack.use(
      new EngineProcess(["consumer", "--polyswarmd-addr", sandbox.url, "--http-port", "0", ...shared], env),
    );
    await Promise.all([producer.told("producer.ready"), consumer.told("consumer.serving")]);
    const setClock = (signal: NodeJS.Signals) => {
      for (const machine of [producer, consumer]) machine.signal(signal);
    };
    let posted = 0;
    const post = async () => {
      const contents = [Buffer.concat([EICAR, Buffer.from(`${posted++}`)])];
      return sandbox.postBounty({ contents, truth: [true], duration: 24, reward: REWARD });
    };

    await post();
    await producer.told("assertion.posted", 1);
    setClock(AHEAD);
    await post();
    const [, ahead] = await producer.told("assertion.posted", 2);
    expect(hourOf(ahead!.time)).toBe(1);
    setClock(BACK);
    await post();
    const [, , back] = await producer.told("assertion.posted", 3);
    expect(hourOf(back!.time)).toBe(-1);
    await producer.told("assertion.revealed", 1);
    setClock(AHEAD);
    await producer.told("assertion.revealed", 2);
    setClock(BACK);
    await producer.told("assertion.settled", 3);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 3, revealed: 3, settled: 3 });
    expect(readLedger(folder)).toMatchObject({ settled: 3, atRisk: 0n, wrong: 0, revealsMissed: 0 });
  });
});

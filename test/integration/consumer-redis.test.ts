/** A consumer process and a Redis that refuses it, goes away, or does so at the worst of moments. */

import { describe, expect, it } from "vitest";
import { EngineProcess, SIMPLE_SCANNER } from "../e2e/engine.ts";
import { openGate } from "../fixtures/queue/gate.ts";
import { ask } from "../fixtures/queue/many-redis.ts";
import { freePort, RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";

/** Long enough that a stop which takes all of it shows. */
const STOP_TIMEOUT_S = "600";

const consumer = (redis: string) =>
  new EngineProcess(
    [
      ...["consumer", "--redis-addr", redis, "--wait", "60", "--http-port", "0"],
      ...["--polyswarmd-addr", "http://127.0.0.1:1", "--stop-timeout", STOP_TIMEOUT_S],
    ],
    SIMPLE_SCANNER,
  );

interface Checks {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

async function readyz(engine: EngineProcess): Promise<Checks> {
  const [listening] = await engine.told("http.listening");
  return (await (await fetch(`http://127.0.0.1:${listening!.port}/readyz`)).json()) as Checks;
}

const USERS = {
  noeval: ["on", ">pw", "~*", "&*", "+@all", "-eval", "-evalsha", "-@scripting"],
  nodanger: ["on", ">pw", "~*", "&*", "+@all", "-@dangerous"],
  nostream: ["on", ">pw", "~*", "&*", "+@all", "-xadd"],
  nowait: ["on", ">pw", "~*", "&*", "+@all", "-bzpopmin"],
  ro: ["on", ">pw", "~*", "&*", "+@all", "-@write", "+eval", "+evalsha"],
};

async function startWithUsers(): Promise<RedisServer> {
  const server = await startRedis();
  await ask(server, async (redis) => {
    for (const [name, rules] of Object.entries(USERS)) await redis.acl("SETUSER", name, ...rules);
  });
  return server;
}

describe("a consumer process", () => {
  it("is not ready, and says why, while Redis refuses its commands though it lets it in", async () => {
    await using server = await startWithUsers();
    for (const user of ["noeval", "nostream", "nowait", "ro"]) {
      await using refused = consumer(`redis://${user}:pw@${server.address}`);
      await refused.told("queue.refused");
      expect(await readyz(refused)).toMatchObject({
        ok: false,
        checks: {
          queue: {
            ok: false,
            detail: expect.stringMatching(/does not do what it is asked: .*(NOPERM|can't run this command)/),
          },
        },
      });
      expect(refused.text).toEqual([]);
    }
  });

  it("is ready again when a Redis that had no memory left has some", async () => {
    await using server = await startRedis();
    await using engine = consumer(server.address);
    await engine.told("consumer.serving");
    await ask(server, (redis) => redis.config("SET", "maxmemory", "1"));
    await engine.told("queue.refused");
    expect((await readyz(engine)).checks.queue).toEqual({
      ok: false,
      detail: expect.stringContaining("OOM"),
    });
    await ask(server, (redis) => redis.config("SET", "maxmemory", "0"));
    await engine.told("queue.accepted");
    await expect.poll(() => readyz(engine)).toMatchObject({ ok: true, checks: { queue: { ok: true } } });
  });

  it("writes nothing but entries of its log where its user may not ask for INFO", async () => {
    await using server = await startWithUsers();
    await using engine = consumer(`redis://nodanger:pw@${server.address}`);
    const [entry] = await engine.told("console.output");
    expect(entry!.text).toMatch(/ready check.*INFO/);
    await engine.told("consumer.serving");
    expect(engine.text).toEqual([]);
  });

  it("stops at once when it is at nothing and Redis is gone", async () => {
    await using server = await startRedis();
    await using engine = consumer(server.address);
    await engine.told("consumer.serving");
    await server.kill();
    // Long enough that it looks for Redis at its slowest.
    await engine.told("redis.error", 14);
    expect(await engine.kill("SIGTERM")).toBe(0);
    expect(engine.text).toEqual([]);
  });

  it("stops at once when it is at nothing and Redis hangs", async () => {
    await using server = await startRedis();
    await using engine = consumer(server.address);
    await engine.told("consumer.serving");
    server.freeze();
    await engine.told("redis.error");
    expect(await engine.kill("SIGTERM")).toBe(0);
    server.thaw();
  });

  it("stops in order when Redis goes away at any moment of its start", async () => {
    // Seen from the wire: after so many bytes of what it says, Redis is gone.
    for (const bytes of [1, 200, 600, 1_200, 2_500]) {
      await using server = new RedisServer(await freePort(), []);
      await server.start();
      await using gate = await openGate(server, bytes);
      await using engine = consumer(`127.0.0.1:${gate.port}`);
      await gate.shut;
      expect(await engine.kill("SIGTERM")).toBe(0);
      expect(engine.text).toEqual([]);
    }
  });
});

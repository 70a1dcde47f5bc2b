import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { plainEnvironment, ROOT, run } from "./run-process.ts";

const withRedis = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, ["scripts/with-redis.ts", ...args], env);
const print = (expression: string) => [process.execPath, "-p", expression];

/** Whether a Redis still answers there. */
async function answers(address: string): Promise<boolean> {
  const redis = new Redis(`redis://${address}`, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

describe("with-redis", () => {
  it("gives a command a private Redis that keeps nothing, and takes it away again", async () => {
    const probe = `
      const { Redis } = await import("ioredis");
      const redis = new Redis("redis://" + process.env.REDIS_ADDR);
      console.log(JSON.stringify([process.env.REDIS_ADDR, await redis.config("GET", "*y*")]));
      redis.disconnect();`;
    const { code, stdout } = await withRedis([process.execPath, "--input-type=module", "-e", probe]);
    expect(code).toBe(0);
    const [address, settings] = JSON.parse(stdout) as [string, string[]];
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(settings[settings.indexOf("maxmemory-policy") + 1]).toBe("noeviction");
    expect(settings[settings.indexOf("appendonly") + 1]).toBe("no");
    expect(await answers(address)).toBe(false);
  });

  it("uses the Redis of REDIS_ADDR when it answers, and leaves it running", async () => {
    const given = process.env.REDIS_ADDR!;
    const { stdout } = await withRedis(print("process.env.REDIS_ADDR"), { REDIS_ADDR: given });
    expect(stdout.trim()).toBe(given);
    expect(await answers(given)).toBe(true);
  });

  it("says so and starts a private one when nobody answers at REDIS_ADDR", async () => {
    const { code, stdout, stderr } = await withRedis(print("process.env.REDIS_ADDR"), {
      REDIS_ADDR: "127.0.0.1:1",
    });
    expect(stderr).toContain("nobody answers at REDIS_ADDR");
    expect(stdout).toMatch(/^127\.0\.0\.1:\d{2,}$/m);
    expect(code).toBe(0);
  });

  it("ends as the command ends", async () => {
    expect(await withRedis([process.execPath, "-e", "process.exit(7)"])).toMatchObject({ code: 7 });
    const killed = await withRedis([process.execPath, "-e", "process.kill(process.pid, 'SIGKILL')"]);
    expect(killed.code).toBe(137);
  });

  it("passes a signal on, and takes the Redis away afterwards", async () => {
    const patient = `
      process.on("SIGTERM", () => process.exit(5));
      setInterval(() => {}, 1000);
      console.log(process.env.REDIS_ADDR);`;
    const child = spawn(process.execPath, ["scripts/with-redis.ts", process.execPath, "-e", patient], {
      cwd: ROOT,
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(5);
    expect(await answers(chunk.toString().trim())).toBe(false);
  });

  it("stops with one line when there is no Redis and no way to install it", async () => {
    // A folder without programs: neither redis-server nor apt-get.
    const { code, stderr } = await withRedis(["true"], { PATH: join(ROOT, "docs") });
    expect(stderr).toMatch(/^with-redis: no Redis: install redis-server, or set REDIS_ADDR[^\n]*\n$/);
    expect(code).toBe(2);
  });
});

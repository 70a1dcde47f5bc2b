import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { mainModule } from "../../src/config/main-module.ts";
import type { ScanAnswer } from "../../src/domain/scan.ts";
import { createLogger } from "../../src/observe/log.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { prepareClamd } from "../fixtures/clamd-server.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { content, openGateway } from "./consumer-gateway.ts";
import { scanJob } from "./consumer-work.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });

it("a consumer whose clamd is down starts, answers unknown, says so, and recovers with it", async () => {
  await using gateway = await openGateway({ QmMarked: content("PLANTED-BY-THE-TESTS") });
  await using redis = await startRedis();
  await using clamd = await prepareClamd();
  const flags = [
    ...["--polyswarmd-addr", gateway.base, "--redis-addr", redis.address, "--queue", "clamav-test"],
    ...["--backend", "clamav", "--scan-limit", "1", "--log-format", "json"],
  ];
  const child = fork(mainModule(), ["consumer", ...flags], {
    execArgv: [],
    env: { PATH: process.env.PATH, CLAMD_SOCKET: clamd.socket },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  try {
    const logged = new Map<string, Readonly<Record<string, unknown>>>();
    createInterface({ input: child.stderr! }).on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string };
      logged.set(entry.msg, entry);
    });
    const port = async (): Promise<unknown> => {
      await expect.poll(() => logged.has("consumer.serving")).toBe(true);
      return logged.get("http.listening")!.port;
    };
    const base = `http://127.0.0.1:${await port()}`;
    const ready = async (): Promise<unknown> => {
      const answer = await fetch(`${base}/readyz`);
      return [answer.status, ((await answer.json()) as { checks: { scanners: unknown } }).checks.scanners];
    };
    const backendUp = async (): Promise<string | undefined> =>
      /^microengine_backend_up\{backend="clamav".*\} (\d)$/m.exec(
        await (await fetch(`${base}/metrics`)).text(),
      )?.[1];

    const address = parseRedisAddress(redis.address);
    await using queue = await openBullmqQueue({
      address,
      queue: "clamav-test",
      backends: ["clamav"],
      waitMs: 0,
      log,
    });
    const ask = async (): Promise<ScanAnswer> => {
      const { promise, resolve } = Promise.withResolvers<ScanAnswer>();
      queue.onAnswer(resolve);
      await queue.dispatch([scanJob({ uri: "QmMarked", backend: "clamav" })]);
      return promise;
    };

    expect(await ask()).toMatchObject({
      verdict: "unknown",
      reason: "scanner-error",
      detail: expect.stringContaining("clamd.sock cannot be used: connect ENOENT"),
    });
    const down = [503, { ok: false, detail: expect.stringMatching(/^clamav: clamd at .* cannot be used/) }];
    await expect.poll(ready).toEqual(down);
    expect(await backendUp()).toBe("0");
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect(logged.get("scanner.trouble")).toMatchObject({ backend: "clamav" });

    await clamd.start();
    expect(await ask()).toMatchObject({ verdict: "malicious", family: "Win.Test.Planted" });
    await expect.poll(ready).toEqual([200, { ok: true }]);
    expect(await backendUp()).toBe("1");
    expect(logged.has("scanner.recovered")).toBe(true);
  } finally {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
});

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { readSettings } from "../../src/config/values/settings.ts";
import { createLogger } from "../../src/observe/log.ts";
import { runSandbox } from "../../src/sandbox/main.ts";
import { ask } from "../fixtures/sandbox-gateway-client.ts";

const log = createLogger({ level: "silent", format: "json", name: "sandbox" });

it("the sandbox command says where it is and how to connect, and ends well with its chain when it is told to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-gateway-"));
  const walletDir = join(folder, "wallet");
  const env = {
    SANDBOX_PORT: "0",
    SANDBOX_BLOCK_TIME: "0.1",
    SANDBOX_BOUNTIES: "1",
    SANDBOX_WALLET_DIR: walletDir,
  };
  const stop = new AbortController();
  const lines: string[] = [];
  const welcomed = Promise.withResolvers<void>();
  const ended = runSandbox(readSettings(sandboxSettings, { flags: {}, env }), {
    log,
    signal: stop.signal,
    print(line) {
      lines.push(line);
      if (line.includes("producer.ready")) welcomed.resolve();
    },
  });
  await Promise.race([welcomed.promise, ended]);

  const [, url] = /^Marketplace +(http:\S+)$/.exec(lines[0]!)!;
  const [, chainUrl] = /^Chain +(http:\S+), id 1338, a block every 0.1 s$/.exec(lines[1]!)!;
  expect((await ask("GET", `${url}/status`)).status).toBe(200);
  expect(lines[2]).toBe("Bounties     1 in all, from when an engine listens");
  // However many lines it takes.
  expect(lines.join("\n").replaceAll(/ \\\n +/g, " ")).toContain(
    `npm start producer -- --embedded 2 --benign eicar=0.8 --polyswarmd-addr ${url} ` +
      `--keyfile ${join(walletDir, "keyfile")} --password-file ${join(walletDir, "password")} `,
  );

  // Its port is taken now: a second one is refused before it leaves anything behind.
  const second = { ...env, SANDBOX_PORT: new URL(url!).port, SANDBOX_WALLET_DIR: join(folder, "second") };
  const refused = runSandbox(readSettings(sandboxSettings, { flags: {}, env: second }), {
    log,
    signal: stop.signal,
  });
  await expect(refused).rejects.toMatchObject({
    code: "GATEWAY_ADDRESS",
    hint: expect.stringContaining("--port (variable SANDBOX_PORT)"),
  });
  expect(await readdir(folder)).toEqual(["wallet"]);

  stop.abort();
  expect(await ended).toBe(0);
  await expect(ask("GET", `${url}/status`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect(ask("GET", chainUrl!)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await rm(folder, { recursive: true });
});

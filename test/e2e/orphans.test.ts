import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { OddGateway } from "../integration/odd-gateway.ts";
import { type Entry, producerFlags, SIMPLE_SCANNER, temporaryFolder } from "./engine.ts";
import { leash } from "./leash.ts";
import { plainEnvironment, ROOT } from "./run-process.ts";

const KEYSTORE = fileURLToPath(new URL("../fixtures/keystore/web3-pbkdf2.json", import.meta.url));

/** Every process that holds the producer's standard error, as its children do, is gone when it closes. */
it.concurrent.each([
  ["still begin", "market.connected"],
  ["serve", "consumer.serving"],
])("a producer that is killed while its consumers %s leaves none behind", async (_, moment) => {
  using folder = temporaryFolder();
  await using gateway = await OddGateway.open();
  await cp(KEYSTORE, join(folder.path, "wallet", "keyfile"));
  await writeFile(join(folder.path, "wallet", "password"), "testpassword");
  const flags = [...producerFlags(gateway.url, folder.path), "--embedded", "2", "--log-format", "json"];
  const producer = spawn(process.execPath, ["src/main.ts", ...flags], {
    cwd: ROOT,
    env: { ...plainEnvironment(), ...SIMPLE_SCANNER },
    stdio: ["ignore", "ignore", "pipe"],
  });
  leash(producer);
  const closed = once(producer, "close");
  const consumers = new Set<number>();
  try {
    for await (const line of createInterface({ input: producer.stderr })) {
      const { name, pid, msg } = JSON.parse(line) as Entry;
      if (name === "consumer") consumers.add(Number(pid));
      if (msg === moment) producer.kill("SIGKILL");
    }
    expect(await closed).toEqual([null, "SIGKILL"]);
    consumers.clear();
  } finally {
    for (const pid of consumers) process.kill(pid, "SIGKILL");
  }
});

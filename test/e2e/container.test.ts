import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { leash } from "./leash.ts";
import { microengine, plainEnvironment, ROOT } from "./run-process.ts";

const IMAGE = { MICROENGINE_IMAGE: "1", KEYFILE: "/nowhere/keyfile", POLYSWARMD_ADDR: "http://127.0.0.1:1" };

it("a producer without a wallet says once, in Docker's words, what to do, and stays until it is stopped", async () => {
  const held = spawn(process.execPath, ["src/main.ts", "producer"], {
    cwd: ROOT,
    env: { ...plainEnvironment(), ...IMAGE, CONFIG_FAULTS: "hold" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  leash(held);
  let told = "";
  const line = Promise.withResolvers<void>();
  held.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString();
    if (told.endsWith("\n")) line.resolve();
  });
  await line.promise;
  // Where nothing asks it to stay, it ends; by then the other would have ended, too.
  const { code, stderr } = await microengine(["producer"], IMAGE);
  expect({ code, stderr }).toEqual({ code: 2, stderr: told });
  expect(told).toMatch(
    /^microengine: There is no keyfile "\/nowhere\/keyfile"\. [^\n]*With Docker: WALLET_DIR in the file \.env [^\n]+\n$/,
  );
  expect(held.exitCode).toBeNull();
  held.kill("SIGTERM");
  expect(await once(held, "exit")).toEqual([2, null]);
});

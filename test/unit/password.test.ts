import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPassword } from "../../src/config/commands/password.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { readSettings } from "../../src/config/values/settings.ts";
import { ConfigFault } from "../../src/domain/fault.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "microengine-password-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A terminal on which somebody can type. */
function keyboard(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const shown: string[] = [];
  const output = new PassThrough();
  output.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
  return { input, output, shown };
}
const settings = (given: { password?: string; passwordFile?: string }) => ({ keyfile: "keyfile", ...given });

describe("the password", () => {
  it("is the one given, before any file", async () => {
    const config = settings({ password: "given", passwordFile: join(folder, "nowhere") });
    expect(await readPassword(config, keyboard())).toBe("given");
  });

  it.each([
    ["secret\n", "secret"],
    ["secret\r\n", "secret"],
    ["secret", "secret"],
    [" sec ret \n\n", " sec ret \n"],
  ])("in a file %j is %j: only the last newline is the editor's", async (content, password) => {
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, content);
    expect(await readPassword(settings({ passwordFile }), keyboard())).toBe(password);
  });

  it("is not taken from a file that is missing", async () => {
    const missing = readPassword(settings({ passwordFile: join(folder, "nowhere") }), keyboard());
    await expect(missing).rejects.toThrow(/cannot be read: .*nowhere/);
  });

  it.each(["", "\n", "\r\n", "\ufeff"])("is empty where the file is: %j", async (content) => {
    const passwordFile = join(folder, "empty");
    await writeFile(passwordFile, content);
    expect(await readPassword(settings({ passwordFile }), keyboard())).toBe("");
  });

  it("is empty when Enter is all that is typed, and when the flag says so", async () => {
    const terminal = keyboard();
    const typed = readPassword(settings({}), terminal);
    terminal.input.write("\r");
    expect(await typed).toBe("");
    const flags = { password: "" };
    expect(readSettings(producerSettings, { flags, env: { PASSWORD: "" } }).password).toBe("");
    expect(readSettings(producerSettings, { flags: {}, env: { PASSWORD: "" } }).password).toBeUndefined();
  });

  it("is asked for on a terminal, and never shown", async () => {
    const terminal = keyboard();
    const password = readPassword(settings({}), terminal);
    terminal.input.write("hunter2\r");
    expect(await password).toBe("hunter2");
    expect(terminal.shown.join("")).toBe("Password of keyfile: \n");
  });

  it("is missing when the question is left unanswered", async () => {
    const terminal = keyboard();
    const interrupted = readPassword(settings({}), terminal);
    terminal.input.write("\u0003");
    await expect(interrupted).rejects.toThrow("No password was typed.");

    const ended = keyboard();
    const atEnd = readPassword(settings({}), ended);
    ended.input.end();
    await expect(atEnd).rejects.toThrow(ConfigFault);

    const stop = new AbortController();
    const stopped = readPassword(settings({}), keyboard(), stop.signal);
    stop.abort();
    await expect(stopped).rejects.toThrow(ConfigFault);
  });

  it("is missing without a terminal, and the message says how to give it", async () => {
    const asked = readPassword(settings({}), keyboard(false));
    await expect(asked).rejects.toMatchObject({ hint: expect.stringMatching(/PASSWORD_FILE.*PASSWORD\)/) });
  });
});

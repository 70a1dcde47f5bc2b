import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { readQueueSecret } from "../../src/config/values/queue-secret.ts";
import { readSettings } from "../../src/config/values/settings.ts";
import { visibleSecrets } from "../../src/config/visible-secrets.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "microengine-secret-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the secret of the queue", () => {
  it("is none unless given, and the one given before any file", async () => {
    expect(await readQueueSecret({})).toBeUndefined();
    const queueSecretFile = join(folder, "nowhere");
    expect(await readQueueSecret({ queueSecret: "given", queueSecretFile })).toBe("given");
  });

  it("is read from a file, less the newline of an editor", async () => {
    const queueSecretFile = join(folder, "secret");
    await writeFile(queueSecretFile, "0123456789abcdef\n");
    expect(await readQueueSecret({ queueSecretFile })).toBe("0123456789abcdef");
  });

  it.each([
    ["missing", undefined, /^The queue secret file cannot be read: .*nowhere/],
    ["empty", "\n", /is empty/],
    ["guessed in a day", "0123456789abcde\n", /shorter than 16 characters/],
  ])("is not taken from a file when it is %s", async (_what, content, why) => {
    const queueSecretFile = join(folder, "nowhere");
    await rm(queueSecretFile, { force: true });
    if (content !== undefined) await writeFile(queueSecretFile, content);
    const refused = readQueueSecret({ queueSecretFile });
    await expect(refused).rejects.toMatchObject({ name: "ConfigFault", code: "QUEUE_SECRET_FILE" });
    await expect(refused).rejects.toThrow(why);
    await expect(refused).rejects.toThrow(/^(?!.*0123456789)/);
  });

  it.each([producerSettings, consumerSettings])("is refused when short, and not repeated", (table) => {
    const read = () => readSettings(table, { flags: {}, env: { QUEUE_SECRET: "hunter2" } });
    expect(read).toThrow(/--queue-secret \(variable QUEUE_SECRET\): it must be at least 16 characters/);
    expect(read).toThrow(/^(?!.*hunter2)/);
  });
});

describe("a file that a flag names", () => {
  it("beats a secret in a variable, as every flag does, and a secret given as a flag beats both", () => {
    const env = { PASSWORD: "of old", QUEUE_SECRET: "0123456789abcdef" };
    const files = { "password-file": "f", "queue-secret-file": "g" };
    const read = readSettings(producerSettings, { flags: files, env });
    expect(read).toMatchObject({ passwordFile: "f", queueSecretFile: "g" });
    expect([read.password, read.queueSecret]).toEqual([undefined, undefined]);
    expect(readSettings(producerSettings, { flags: { password: "p", ...files }, env }).password).toBe("p");
    expect(readSettings(producerSettings, { flags: {}, env }).password).toBe("of old");
  });
});

describe("secrets among the flags", () => {
  it("are found, whatever the process", () => {
    const flags = {
      password: "p",
      "password-file": "f",
      "queue-secret": "s",
      "api-key": "a",
      queue: "q",
      "redis-addr": "redis://:x@localhost",
    };
    expect(visibleSecrets(producerSettings, flags).toSorted()).toEqual([
      "--api-key",
      "--password",
      "--queue-secret",
      "--redis-addr",
    ]);
    expect(
      visibleSecrets(consumerSettings, { "redis-addr": "localhost:6379", "api-key": undefined }),
    ).toEqual([]);
  });
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deriveKey } from "../../src/wallet/kdf.ts";
import { createKeystore, decryptKeystore, openKeystore } from "../../src/wallet/keystore.ts";

const PUBLISHED_SECRET = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const fixture = (name: string) => new URL(`../fixtures/keystore/${name}.json`, import.meta.url).pathname;
const key = Buffer.from(PUBLISHED_SECRET, "hex");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keystore-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, text);
  return path;
}

describe("a keystore", () => {
  it.each(["web3-scrypt", "web3-pbkdf2"])("opens the published %s vector", async (name) => {
    const unlocked = await openKeystore(fixture(name), "testpassword");
    expect(Buffer.from(unlocked.privateKey).toString("hex")).toBe(PUBLISHED_SECRET);
    expect(unlocked.address).toBe("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
  });

  it("leaves the event loop its turns where OpenSSL cannot derive the key", async () => {
    let turns = 0;
    let deriving = true;
    const count = (): void => {
      turns++;
      if (deriving) setImmediate(count);
    };
    setImmediate(count);
    const kdfparams = { dklen: 32, n: 65_536, r: 1, p: 1, salt: Buffer.alloc(32) };
    await deriveKey("x", { kdf: "scrypt", kdfparams });
    deriving = false;
    expect(turns).toBeGreaterThan(20);
  });

  it("asks for the password only when there is a keystore to open", async () => {
    const ask = () => Promise.reject(new Error("asked"));
    await expect(openKeystore("/nowhere/keyfile", ask)).rejects.toMatchObject({ code: "KEYFILE_UNREADABLE" });
    await expect(openKeystore(fixture("web3-pbkdf2"), ask)).rejects.toThrow("asked");
  });

  it("that we wrote opens with its password and gives the key and the checksum address", async () => {
    const keystore = JSON.parse(JSON.stringify(await createKeystore(key, "pässword", { n: 1024 })));
    expect(keystore.address).toBe("008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    const unlocked = await decryptKeystore(keystore, "pässword");
    expect(Buffer.from(unlocked.privateKey)).toEqual(key);
    expect(unlocked.address).toBe("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
  });

  it("opens whether the wallet that wrote it normalised the password or not", async () => {
    const typed = "pa\u0308sswo\ufb01rd";
    for (const written of [typed, typed.normalize("NFKC")]) {
      const keystore = await createKeystore(key, written, { n: 1024 });
      expect((await decryptKeystore(keystore, typed)).address).toMatch(/^0x008A/);
    }
  });

  it("refuses a wrong password by name", async () => {
    const keystore = await createKeystore(key, "right", { n: 1024 });
    await expect(decryptKeystore(keystore, "wrong")).rejects.toMatchObject({
      name: "ConfigFault",
      code: "PASSWORD_WRONG",
      hint: expect.stringMatching(/--password-file.*--password.*typed/),
    });
  });

  it("refuses a ciphertext that somebody changed", async () => {
    const keystore = (await createKeystore(key, "right", { n: 1024 })) as { crypto: object };
    const changed = { ...keystore, crypto: { ...keystore.crypto, ciphertext: "00".repeat(32) } };
    await expect(decryptKeystore(changed, "right")).rejects.toMatchObject({ code: "PASSWORD_WRONG" });
  });

  it("refuses a file that names another address than its key has", async () => {
    const keystore = { ...(await createKeystore(key, "right", { n: 1024 })), address: "11".repeat(20) };
    await expect(decryptKeystore(keystore, "right")).rejects.toMatchObject({ code: "KEYFILE_UNREADABLE" });
  });

  it("opens files of the first geth releases, which wrote Crypto with a capital", async () => {
    const { crypto, ...rest } = await createKeystore(key, "right", { n: 1024 });
    const unlocked = await decryptKeystore({ ...rest, Crypto: crypto }, "right");
    expect(Buffer.from(unlocked.privateKey)).toEqual(key);
  });
});

describe("an unreadable keyfile is refused with one sentence that says why:", () => {
  const refusal = (path: string) =>
    openKeystore(path, "x").then(
      () => expect.fail("it opened"),
      (error: { code: string; message: string }) => {
        expect(error.code).toBe("KEYFILE_UNREADABLE");
        return error.message;
      },
    );

  it("missing", async () => expect(await refusal(join(folder, "nowhere"))).toMatch(/There is no keyfile/));

  it("a directory", async () => {
    await mkdir(join(folder, "directory"));
    expect(await refusal(join(folder, "directory"))).toMatch(/is a directory/);
  });

  it("endless", async () => expect(await refusal("/dev/zero")).toMatch(/far too large/));

  it("not JSON, and the text is not repeated", async () => {
    const message = await refusal(await fileWith(PUBLISHED_SECRET));
    expect(message).toMatch(/is not JSON/);
    expect(message).not.toContain(PUBLISHED_SECRET.slice(0, 8));
  });

  it.each([`{"hello":1}`, "[]", "null", "7"])("JSON but no keystore: %s", async (text) => {
    expect(await refusal(await fileWith(text))).toMatch(/not a keystore/);
  });

  type Change = { version?: number; crypto?: { cipher?: string; kdf?: string; kdfparams?: object } };
  it.each<[string, Change, RegExp]>([
    ["version", { version: 1 }, /version/],
    ["cipher", { crypto: { cipher: "aes-256-gcm" } }, /cipher/],
    ["derivation", { crypto: { kdf: "argon2" } }, /kdf/],
    ["too much memory", { crypto: { kdfparams: { n: 2 ** 30 } } }, /too much memory/],
    ["too much work", { crypto: { kdfparams: { p: 2 ** 15 } } }, /too much work/],
    ["not a power of two", { crypto: { kdfparams: { n: 1000 } } }, /power of two/],
    ["short key", { crypto: { kdfparams: { dklen: 16 } } }, /dklen/],
  ])("%s", async (_name, change, why) => {
    const sound = (await createKeystore(key, "x", { n: 1024 })) as { crypto: { kdfparams: object } };
    const crypto = { ...sound.crypto, ...change.crypto };
    const kdfparams = { ...sound.crypto.kdfparams, ...change.crypto?.kdfparams };
    const changed = { ...sound, ...change, crypto: { ...crypto, kdfparams } };
    expect(await refusal(await fileWith(JSON.stringify(changed)))).toMatch(why);
  });
});

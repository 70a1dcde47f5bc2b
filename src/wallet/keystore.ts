import { createCipheriv, createDecipheriv, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { privateKeyToAddress } from "web3-eth-accounts";
import { keccak256 } from "web3-utils";
import { z } from "zod";
import { type Address, parseAddress, sameAddress } from "../domain/address.ts";
import { ConfigFault } from "../domain/fault.ts";
import { readTextFile, type TextFileError } from "../files/text-file.ts";
import { deriveKey, hexBytes, KeyDerivation } from "./kdf.ts";

/**
 * Ethereum keystore files, version 3 (Web3 Secret Storage): the private key under AES-128-CTR, the key of that from a
 * password by scrypt or PBKDF2, and a Keccak MAC that tells a wrong password from a right one.
 */

export interface UnlockedKey {
  /** EIP-55 checksum form. */
  readonly address: Address;
  /** 32 bytes. Hand it to `openSigner` and forget it. */
  readonly privateKey: Uint8Array;
}

/** A keystore is under a kilobyte; more is another kind of file. */
const MAX_KEYFILE_BYTES = 65_536;

const Crypto = z
  .object({
    cipher: z.literal("aes-128-ctr", "the cipher is not aes-128-ctr"),
    cipherparams: z.object({ iv: hexBytes.refine((iv) => iv.length === 16, "is not 16 bytes") }),
    ciphertext: hexBytes.refine((text) => text.length >= 1 && text.length <= 32, "is not a private key"),
    mac: hexBytes.refine((mac) => mac.length === 32, "is not 32 bytes"),
  })
  .and(KeyDerivation);

const Keystore = z.object({
  version: z.literal(3, "the version is not 3"),
  crypto: Crypto,
  address: hexBytes.refine((address) => address.length === 20, "is not an address").optional(),
});
type Keystore = z.infer<typeof Keystore>;

const unreadable = (sentence: string, cause?: unknown): ConfigFault =>
  new ConfigFault("KEYFILE_UNREADABLE", sentence, {
    hint: "Give --keyfile the path of an Ethereum keystore file, version 3.",
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * Reads and unlocks a keystore file. The password may be asked for, and is only when there is a keystore to open.
 * Throws ConfigFault KEYFILE_UNREADABLE or PASSWORD_WRONG, or what asking throws.
 */
export async function openKeystore(
  path: string,
  password: string | (() => Promise<string>),
): Promise<UnlockedKey> {
  const json = await readKeyfile(path);
  readKeystore(json, path);
  return decryptKeystore(json, typeof password === "string" ? password : await password(), path);
}

/** As `openKeystore`, from the parsed JSON. `name` is what error messages call it. */
export async function decryptKeystore(
  json: unknown,
  password: string,
  name = "keystore",
): Promise<UnlockedKey> {
  const { crypto, address } = readKeystore(json, name);
  const key = await keyFor(crypto, password).catch((error: unknown) => {
    throw unreadable(`The keyfile "${name}" asks for a key derivation that this machine cannot do.`, error);
  });
  if (key === undefined) {
    const which = password === "" ? "The empty password" : "The password";
    throw new ConfigFault("PASSWORD_WRONG", `${which} does not open the keyfile "${name}".`, {
      hint: "Check --password-file (PASSWORD_FILE), --password (PASSWORD), or what you typed.",
    });
  }
  const decipher = createDecipheriv("aes-128-ctr", key.subarray(0, 16), crypto.cipherparams.iv);
  const secret = Buffer.concat([decipher.update(crypto.ciphertext), decipher.final()]);
  // Some old wallets cut leading zero bytes off the key before they encrypted it.
  const privateKey = Buffer.concat([Buffer.alloc(32 - secret.length), secret]);
  const unlocked = { address: addressOf(privateKey, name), privateKey };
  if (address !== undefined && !sameAddress(unlocked.address, `0x${address.toString("hex")}`)) {
    throw unreadable(`The keyfile "${name}" holds the key of another address than it says.`);
  }
  return unlocked;
}

/**
 * Encrypts a private key as a keystore, ready for JSON. `n` is scrypt's cost, a power of two: 262144 is geth's choice
 * for keys of value, 4096 opens in milliseconds.
 */
export async function createKeystore(
  privateKey: Uint8Array,
  password: string,
  options: { readonly n?: number } = {},
): Promise<Record<string, unknown>> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const kdfparams = { dklen: 32, n: options.n ?? 262_144, r: 8, p: 1 };
  const key = await deriveKey(password, { kdf: "scrypt", kdfparams: { ...kdfparams, salt } });
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()]);
  return {
    version: 3,
    id: randomUUID(),
    address: addressOf(privateKey, "new key").slice(2).toLowerCase(),
    crypto: {
      cipher: "aes-128-ctr",
      cipherparams: { iv: iv.toString("hex") },
      ciphertext: ciphertext.toString("hex"),
      kdf: "scrypt",
      kdfparams: { ...kdfparams, salt: salt.toString("hex") },
      mac: macOf(key, ciphertext).toString("hex"),
    },
  };
}

/** The derived key, once the MAC agrees. Wallets differ in whether they normalise what was typed: either will do. */
async function keyFor(crypto: Keystore["crypto"], password: string): Promise<Buffer | undefined> {
  for (const typed of new Set([password, password.normalize("NFKC")])) {
    const key = await deriveKey(typed, crypto);
    if (timingSafeEqual(macOf(key, crypto.ciphertext), crypto.mac)) return key;
  }
  return undefined;
}

async function readKeyfile(path: string): Promise<unknown> {
  const text = await readTextFile(path, MAX_KEYFILE_BYTES).catch((error: TextFileError) => {
    throw unreadable(whyUnreadable(path, error), error);
  });
  if (text.trim() === "") throw unreadable(`The keyfile "${path}" is empty.`);
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser quotes the text, and a bare private key may be in it.
    throw unreadable(`The keyfile "${path}" is not JSON.`);
  }
}

function whyUnreadable(path: string, { problem, message }: TextFileError): string {
  switch (problem) {
    case "missing":
      return `There is no keyfile "${path}".`;
    case "directory":
      return `The keyfile "${path}" is a directory.`;
    case "forbidden":
      return `This user may not read the keyfile "${path}".`;
    case "too-large":
      return `The keyfile "${path}" is far too large to be a keystore.`;
    case "not-text":
      return `The keyfile "${path}" is not JSON: it is no text in UTF-8 or UTF-16.`;
    case "unreadable":
      return `The keyfile is not to be had: ${message}.`;
  }
}

function readKeystore(json: unknown, name: string): Keystore {
  // geth's first releases wrote "Crypto".
  const { Crypto: upperCase, ...rest } = z.looseObject({}).safeParse(json).data ?? {};
  const { crypto = upperCase, version } = rest as { crypto?: unknown; version?: unknown };
  if (crypto === undefined && version === undefined) {
    throw unreadable(`The keyfile "${name}" is JSON, but not a keystore.`);
  }
  const result = Keystore.safeParse({ ...rest, crypto });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw unreadable(
    `The keyfile "${name}" is not a keystore we can read: ${where}: ${issue?.message ?? "?"}.`,
  );
}

const macOf = (key: Buffer, ciphertext: Buffer): Buffer =>
  Buffer.from(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext])).slice(2), "hex");

function addressOf(privateKey: Uint8Array, name: string): Address {
  try {
    return parseAddress(privateKeyToAddress(privateKey));
  } catch {
    throw unreadable(`The keyfile "${name}" does not hold a private key.`);
  }
}

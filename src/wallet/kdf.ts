import { pbkdf2 as pbkdf2Callback, scrypt as scryptCallback } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";

/**
 * The two key derivations of the Web3 Secret Storage definition, on node:crypto's thread pool: geth's strength
 * (N = 262144) takes most of a second, which a JavaScript implementation would spend on the event loop. Only what OpenSSL
 * refuses is derived in JavaScript (docs/decisions/0031-libraries-for-what-others-do-well.md).
 */

const pbkdf2 = promisify(pbkdf2Callback);
const scrypt = promisify<string, Buffer, number, object, Buffer>(scryptCallback);

/** Twice what geth's strongest preset needs. A keystore asking for more is broken or hostile. */
const MAX_SCRYPT_BYTES = 512 * 1024 * 1024;
/** N * r * p; eight times geth's strongest preset, some seconds of work. */
const MAX_SCRYPT_WORK = 2 ** 24;
const MAX_PBKDF2_ROUNDS = 10_000_000;

export const hexBytes = z
  .string()
  .regex(/^(0x)?([0-9a-fA-F]{2})*$/, "is not hex")
  .transform((hex) => Buffer.from(hex.replace(/^0x/, ""), "hex"));

// Only 32 bytes are ever used; a longer key is legal and useless.
const dklen = z.number().int().min(32).max(64);

const Scrypt = z.object({
  kdf: z.literal("scrypt"),
  kdfparams: z
    .object({
      dklen,
      n: z.number().int().min(2),
      r: z.number().int().min(1),
      p: z.number().int().min(1),
      salt: hexBytes,
    })
    .refine(({ n }) => Number.isInteger(Math.log2(n)), "n is not a power of two")
    .refine(({ n, r, p }) => 128 * r * (n + p) <= MAX_SCRYPT_BYTES, "scrypt asks for too much memory")
    .refine(({ n, r, p }) => n * r * p <= MAX_SCRYPT_WORK, "scrypt asks for too much work"),
});

const Pbkdf2 = z.object({
  kdf: z.literal("pbkdf2"),
  kdfparams: z.object({
    dklen,
    c: z.number().int().min(1).max(MAX_PBKDF2_ROUNDS, "pbkdf2 asks for too many rounds"),
    prf: z.literal("hmac-sha256"),
    salt: hexBytes,
  }),
});

export const KeyDerivation = z.discriminatedUnion("kdf", [Scrypt, Pbkdf2]);
export type KeyDerivation = z.infer<typeof KeyDerivation>;

/** `dklen` bytes: the first 16 are the cipher key, the next 16 go into the MAC. */
export async function deriveKey(password: string, derivation: KeyDerivation): Promise<Buffer> {
  if (derivation.kdf === "pbkdf2") {
    const { salt, c, dklen: length } = derivation.kdfparams;
    return pbkdf2(password, salt, c, length, "sha256");
  }
  const { salt, n, r, p, dklen: length } = derivation.kdfparams;
  // OpenSSL counts some scratch space too; without `maxmem` Node stops at 32 MiB.
  if (Math.log2(n) < 16 * r)
    return scrypt(password, salt, length, { N: n, r, p, maxmem: 128 * r * (n + p) + 2 ** 20 });
  // RFC 7914 wants N < 2^(16 r), and OpenSSL and web3 insist on it. The oldest keystores, the published test vector among
  // them, pair N = 262144 with r = 1. This one gives the event loop a turn every 10 ms; a start hears blocks meanwhile.
  const { scryptAsync } = await import("@noble/hashes-v2/scrypt.js");
  const maxmem = 128 * r * (n + p + 1);
  return Buffer.from(await scryptAsync(password, salt, { N: n, r, p, dkLen: length, maxmem }));
}

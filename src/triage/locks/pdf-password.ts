/**
 * Whether a PDF opens without a password. Many are encrypted under the empty one, with another for their owner who alone
 * may print or change them: every reader opens those, and so do scanners. Sources: ISO 32000-2 7.6.4 (revisions 5 and 6,
 * algorithms 2.A, 2.B and 11), ISO 32000-1 7.6.3 (revisions 2 to 4, algorithms 2, 4 and 5).
 */
import { createCipheriv, createHash, timingSafeEqual } from "node:crypto";
import type { PdfEncryption } from "./pdf-encryption.ts";

/** Added to passwords that are shorter, as the empty one is. */
const PADDING = Buffer.from("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a", "hex");

/** Whether the empty password opens it; false for encryptions other than these. */
export function opensWithoutPassword(encryption: PdfEncryption): boolean {
  const { revision, user } = encryption;
  if (revision === 5 || revision === 6) return user.length >= 48 && opensBySha(encryption);
  return revision >= 2 && revision <= 4 && user.length >= 32 && opensByRc4(encryption);
}

/** Of the 48 bytes, 32 are the hash and 8 its salt. */
function opensBySha({ revision, user }: PdfEncryption): boolean {
  const salt = user.subarray(32, 40);
  const hash = revision === 5 ? createHash("sha256").update(salt).digest() : hardenedHash(salt);
  return timingSafeEqual(hash, user.subarray(0, 32));
}

const REPEATS = 64;
const LEAST_ROUNDS = 64;
/** It ends once a byte is at most the number of the round less 32, so here at the latest. */
const MOST_ROUNDS = 288;
const HASHES = ["sha256", "sha384", "sha512"] as const;

/** Of the empty password. Some 70 rounds of 2 to 4 KiB each. */
function hardenedHash(salt: Buffer): Buffer {
  let key = createHash("sha256").update(salt).digest();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const cipher = createCipheriv("aes-128-cbc", key.subarray(0, 16), key.subarray(16, 32)).setAutoPadding(
      false,
    );
    const encrypted = cipher.update(Buffer.concat(Array.from({ length: REPEATS }, () => key)));
    const remainder = encrypted.subarray(0, 16).reduce((sum, byte) => sum + byte, 0) % 3;
    key = createHash(HASHES[remainder]!).update(encrypted).digest();
    if (round + 1 >= LEAST_ROUNDS && encrypted.at(-1)! <= round + 1 - 32) break;
  }
  return key.subarray(0, 32);
}

function opensByRc4({
  revision,
  owner,
  user,
  permissions,
  fileId,
  keyBytes,
  metadata,
}: PdfEncryption): boolean {
  const flags = Buffer.alloc(4);
  flags.writeInt32LE(permissions | 0);
  const seed = createHash("md5").update(PADDING).update(owner.subarray(0, 32)).update(flags).update(fileId);
  if (revision >= 4 && !metadata) seed.update(Buffer.from("ffffffff", "hex"));
  const length = revision === 2 ? 5 : keyBytes;
  let key = seed.digest().subarray(0, length);
  if (revision === 2) return timingSafeEqual(rc4(key, PADDING), user.subarray(0, 32));
  for (let round = 0; round < 50; round++) key = createHash("md5").update(key).digest().subarray(0, length);
  let expected = rc4(key, createHash("md5").update(PADDING).update(fileId).digest());
  for (let round = 1; round <= 19; round++)
    expected = rc4(
      key.map((byte) => byte ^ round),
      expected,
    );
  return timingSafeEqual(expected, user.subarray(0, 16));
}

/** OpenSSL of today has it no more. Of short texts only. */
function rc4(key: Uint8Array, text: Uint8Array): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at);
  const swap = (a: number, b: number): void => {
    const kept = state[a]!;
    state[a] = state[b]!;
    state[b] = kept;
  };
  for (let at = 0, other = 0; at < 256; at++) {
    other = (other + state[at]! + key[at % key.length]!) & 0xff;
    swap(at, other);
  }
  let [a, b] = [0, 0];
  return Buffer.from(
    text.map((byte) => {
      a = (a + 1) & 0xff;
      b = (b + state[a]!) & 0xff;
      swap(a, b);
      return byte ^ state[(state[a]! + state[b]!) & 0xff]!;
    }),
  );
}

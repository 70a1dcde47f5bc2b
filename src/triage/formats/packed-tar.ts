/** A tar in a gzip or a zstd: only the first bytes are unpacked, as many as a header of a tar has. */
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { isTar } from "../archives/tar.ts";

export const TAR_TYPE = "application/x-tar";

/** Of packed content: what comes out of it is at most a thousand times as much. */
const PEEK_BYTES = 1024;
const MOST_BYTES = 2 * 1024 * 1024;

const GZIP = Buffer.from("1f8b08", "hex");
const ZSTD = Buffer.from("28b52ffd", "hex");

export function holdsTar(content: Buffer): boolean {
  const start = content.subarray(0, PEEK_BYTES);
  try {
    if (start.subarray(0, GZIP.length).equals(GZIP)) {
      const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_BYTES };
      return isTar(gunzipSync(start, options));
    }
    if (!start.subarray(0, ZSTD.length).equals(ZSTD)) return false;
    return isTar(zstdDecompressSync(content.subarray(0, 16 * PEEK_BYTES), ZSTD_OPTIONS));
  } catch {
    // What cannot be unpacked, or is too much, is no tar that says so early.
    return false;
  }
}

const ZSTD_OPTIONS = { finishFlush: constants.ZSTD_e_flush, maxOutputLength: MOST_BYTES };

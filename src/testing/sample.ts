import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Accepts } from "../domain/accepts.ts";
import type { ArtifactKind } from "../domain/artifact.ts";
import type { Verdict } from "../domain/verdict.ts";
import { detectTypes } from "../triage/detect.ts";

/** Something to scan, and what is expected of it. */
export interface Sample {
  /** For messages. Default: the name of the file, or the sample's number. */
  readonly name?: string;
  /** A file. Relative paths are relative to the folder the test runs in. */
  readonly file?: string | URL;
  /** What to scan when there is no file; text is UTF-8. */
  readonly content?: string | Uint8Array;
  /** Default: a file. */
  readonly kind?: ArtifactKind;
  readonly verdict?: Verdict;
  readonly family?: string;
}

/** A sample that is ready to be scanned. */
export interface PreparedSample extends Pick<Sample, "verdict" | "family"> {
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly bytes: Uint8Array;
  readonly types: readonly string[];
  /** Bytes without any meaning: no scanner can call them malicious, and none should call them benign. */
  readonly meaningless: boolean;
}

export async function prepareSample(sample: Sample, at: number): Promise<PreparedSample> {
  const { file, content = "", kind = "file", verdict, family } = sample;
  const bytes = file === undefined ? Buffer.from(content) : await readFile(file);
  const path = file instanceof URL ? fileURLToPath(file) : file;
  return {
    name: sample.name ?? (path === undefined ? `sample ${at + 1}` : basename(path)),
    kind,
    bytes,
    types: await detectTypes(bytes, kind, "whole"),
    meaningless: false,
    ...(verdict === undefined ? {} : { verdict }),
    ...(family === undefined ? {} : { family }),
  };
}

const RANDOM_BYTES = 4096;
const LARGE_BYTES = 1024 * 1024;

/**
 * What every scanner has to stand, less what is larger than it takes. They come as a type that the scanner accepts: what
 * looks like a PDF from its first bytes may be anything behind them.
 */
export async function standardSamples({
  kinds = ["file"],
  types,
  maxSizeBytes,
}: Accepts): Promise<PreparedSample[]> {
  const kind = kinds.includes("file") ? "file" : "url";
  const random = (length: number): Uint8Array => {
    const bytes = noise(length);
    // The content of a URL artifact is text, or no scanner is given it.
    return kind === "file" ? bytes : Buffer.from(bytes.toString("base64url").slice(0, length));
  };
  const contents = [
    ["0 bytes", new Uint8Array(0), false],
    ["1 byte", Buffer.from("M"), false],
    [`${RANDOM_BYTES} random bytes`, random(RANDOM_BYTES), true],
    ["1 MiB of random bytes", random(LARGE_BYTES), true],
  ] as const;
  const fitting = contents.filter(([, bytes]) => bytes.length <= (maxSizeBytes ?? Number.POSITIVE_INFINITY));
  const claimed = (types ?? []).filter((type) => type !== "*").map((type) => type.replace("*", "plain"));
  return Promise.all(
    fitting.map(async ([name, bytes, meaningless]) => {
      const found = await detectTypes(bytes, kind, "whole");
      return { name, kind, bytes, types: [...new Set([...claimed.slice(0, 1), ...found])], meaningless };
    }),
  );
}

/** The same bytes every time, so that a test that fails fails again (xorshift32). */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b9;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

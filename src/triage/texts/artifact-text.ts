/** What the text in an artifact is: the whole artifact, or scripts that stand behind something else. */

import { isFoundByTag, scriptsWithin, scriptTypes } from "../script-types/script-types.ts";
import type { Extent } from "./extent.ts";
import { isMail } from "./mail.ts";
import { isMostlyAscii, LEAST_EVIDENT_BYTES, readEightBitText, readUnicodeText } from "./text.ts";
import { isDecidedHere, isTextual } from "./textual.ts";

const KIB = 1024;
/** Of a whole content, what is read for scripts beyond its head: they may stand behind much comment. */
const BEGINNING_BYTES = 64 * KIB;
const END_BYTES = 16 * KIB;
/** From either end of a picture and the like, where what a server runs is looked for. */
const WITHIN_BYTES = 64 * KIB;

interface ArtifactText {
  /** Most specific first, without `text/plain`. */
  readonly types: readonly string[];
  /** The detected types that the artifact can have, being text. */
  readonly magics: readonly string[];
}

/**
 * The text of a sample, the beginning of the content. Scripts in the code pages of old are not Unicode, and scripts all
 * the same; a PDF has bytes of all kinds and is no text for lack of the others.
 */
export function textOfSample(
  sample: Uint8Array,
  extent: Extent,
  magics: readonly string[],
): string | undefined {
  const unicode = readUnicodeText(sample, extent);
  if (unicode !== undefined) return unicode;
  const known = magics.some((type) => type.startsWith("text/"));
  const likely = isMostlyAscii(sample) && !magics.includes("application/pdf");
  return known || likely ? readEightBitText(sample) : undefined;
}

/** `content` is all that is there of it; its first `sampleBytes` are `text`. */
export function typesOfText(
  text: string,
  content: Uint8Array,
  sampleBytes: number,
  magics: readonly string[],
): ArtifactText {
  const further = content.length > sampleBytes ? scriptTypes(bothEnds(content)) : [];
  const scripts = [...new Set([...scriptTypes(text), ...further])];
  const types = [...scripts, ...(isMail(text) ? ["message/rfc822"] : [])];
  // Six letters of a picture with a page behind them: a program that reads only these takes it for a picture.
  const both = scripts.some(isFoundByTag) || content.length < LEAST_EVIDENT_BYTES;
  const textual = magics.filter((type) => isTextual(type) && !isDecidedHere(type));
  return { types, magics: both ? [...textual, ...magics.filter((type) => !isTextual(type))] : textual };
}

const MEDIA =
  /^(?:image|audio|video|font)\/|^application\/(?:pdf|x-ms-shortcut|x-shockwave-flash|vnd\.ms-(?:fontobject|opentype)|font|ogg)/;

/** Scripts behind the header of a picture, and in what has no header at all. In a program they are its own business. */
export function typesBehind(content: Uint8Array, magics: readonly string[]): readonly string[] {
  if (!magics.every((type) => MEDIA.test(type))) return [];
  const ends = [
    content.subarray(0, WITHIN_BYTES),
    content.subarray(Math.max(WITHIN_BYTES, content.length - WITHIN_BYTES)),
  ];
  return scriptsWithin(ends.map(latin1).join("\n"));
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** Whatever the encoding of the beginning; what cannot be read is passed over. */
function bothEnds(content: Uint8Array): string {
  const beginning = content.subarray(0, BEGINNING_BYTES);
  const from = Math.max(BEGINNING_BYTES, content.length - END_BYTES);
  const end = content.subarray(from + (from % 4));
  return [beginning, end].map((bytes) => readUnicodeText(bytes, "beginning") ?? latin1(bytes)).join("\n");
}

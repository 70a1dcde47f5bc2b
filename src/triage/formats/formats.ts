/** MIME types by the bytes of a format. */
import type { Extent } from "../texts/extent.ts";
import { discTypes } from "./discs.ts";
import { numberedTypes, trailingTypes } from "./magic-numbers.ts";
import { holdsTar, TAR_TYPE } from "./packed-tar.ts";
import { DOT_NET_TYPE, isDotNet } from "./programs.ts";

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** By how it begins. Never throws; the work does not grow with the content. */
export function formatTypes(bytes: Uint8Array): readonly string[] {
  const content = asBuffer(bytes);
  return [
    ...(isDotNet(content) ? [DOT_NET_TYPE] : []),
    ...numberedTypes(content),
    ...(holdsTar(content) ? [TAR_TYPE] : []),
  ];
}

/**
 * By what stands further on, whatever it begins with: a text, a program.
 * Never throws; the work does not grow with the content.
 */
export function farFormatTypes(bytes: Uint8Array, extent: Extent): readonly string[] {
  const content = asBuffer(bytes);
  return [...discTypes(content), ...(extent === "whole" ? trailingTypes(content) : [])];
}

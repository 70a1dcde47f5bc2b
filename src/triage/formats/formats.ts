/** MIME types by the bytes of a format, for what is no text. */
import { discTypes } from "./discs.ts";
import { numberedTypes, trailingTypes } from "./magic-numbers.ts";
import { holdsTar, TAR_TYPE } from "./packed-tar.ts";
import { DOT_NET_TYPE, isDotNet } from "./programs.ts";

/** Of a content or its beginning; `whole` says which. Never throws; the work does not grow with the content. */
export function formatTypes(bytes: Uint8Array, whole: boolean): readonly string[] {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return [
    ...(isDotNet(content) ? [DOT_NET_TYPE] : []),
    ...discTypes(content),
    ...numberedTypes(content),
    ...(whole ? trailingTypes(content) : []),
    ...(holdsTar(content) ? [TAR_TYPE] : []),
  ];
}

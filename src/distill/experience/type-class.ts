import { canonicalType } from "../../domain/media-type.ts";

/** Coarse, so that each class gathers a history: an engine's record on documents says little about executables. */
const TYPE_CLASSES = [
  "executable",
  "script",
  "document",
  "archive",
  "text",
  "media",
  "url",
  "other",
] as const;
export type TypeClass = (typeof TYPE_CLASSES)[number];

const BY_PATTERN: readonly (readonly [TypeClass, RegExp])[] = [
  ["url", /^text\/x-url$/],
  [
    "executable",
    /^application\/(x-msdownload|x-elf|x-mach|x-msi|x-ms-installer|java-archive|java-vm|vnd\.android|wasm|x-dex|x-apple-diskimage|x-coredump)/,
  ],
  [
    "script",
    /^(text\/x-(shellscript|python|perl|ruby|php|msdos-batch|powershell|vbscript|lua|tcl|awk)|application\/(javascript|x-powershell|x-bat|hta|x-vbs))/,
  ],
  [
    "document",
    /^application\/(pdf|rtf|msword|vnd\.ms-|vnd\.openxmlformats|vnd\.oasis|x-cfb|postscript|epub|x-ole|onenote|msonenote)/,
  ],
  [
    "archive",
    /^application\/(zip|gzip|x-tar|x-7z|x-rar|x-bzip|x-xz|zstd|x-lz|x-iso|x-cpio|vnd\.ms-cab|x-archive|x-arj|x-lha|x-compress)/,
  ],
  ["media", /^(image|audio|video|font)\//],
  ["text", /^(text\/|message\/|application\/(json|xml))/],
];

/** The class of the most specific type that has one; `other` where there is none. */
export function typeClassOf(types: readonly string[]): TypeClass {
  for (const type of types.map(canonicalType)) {
    // Cabinets are named like documents of the same vendor.
    if (type === "application/vnd.ms-cab-compressed") return "archive";
    const found = BY_PATTERN.find(([, pattern]) => pattern.test(type));
    if (found !== undefined) return found[0];
  }
  return "other";
}

/**
 * MIME types as detectors and people write them. One format has many names: libmagic, browsers and the marketplace's
 * own metadata disagree, and an operator's rule should match whichever name they know.
 */
const CANONICAL: Readonly<Record<string, string>> = {
  "application/vnd.microsoft.portable-executable": "application/x-msdownload",
  "application/x-dosexec": "application/x-msdownload",
  "application/x-ms-dos-executable": "application/x-msdownload",
  "application/x-executable": "application/x-elf",
  "application/x-object": "application/x-elf",
  "application/x-pie-executable": "application/x-elf",
  "application/x-sharedlib": "application/x-elf",
  "application/x-zip": "application/zip",
  "application/x-zip-compressed": "application/zip",
  "application/x-gzip": "application/gzip",
  "application/x-rar": "application/x-rar-compressed",
  "application/vnd.rar": "application/x-rar-compressed",
  "application/x-java-archive": "application/java-archive",
  "application/x-ole-storage": "application/x-cfb",
  "application/x-javascript": "application/javascript",
  "text/javascript": "application/javascript",
  "application/x-sh": "text/x-shellscript",
  "text/x-sh": "text/x-shellscript",
  "text/x-script.python": "text/x-python",
  "application/x-httpd-php": "text/x-php",
  "text/xml": "application/xml",
  "text/rtf": "application/rtf",
  "inode/x-empty": "application/x-empty",
  "application/cdfv2": "application/x-cfb",
  "application/x-archive": "application/x-unix-archive",
  "application/vnd.debian.binary-package": "application/x-deb",
  "application/x.ms.shortcut": "application/x-ms-shortcut",
  "application/x-java-applet": "application/java-vm",
  "application/x-gtar": "application/x-tar",
  "application/x-ms-installer": "application/x-msi",
  "application/vnd.ms-msi": "application/x-msi",
  "application/x-bat": "text/x-msdos-batch",
  "audio/x-wav": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "image/vnd.microsoft.icon": "image/x-icon",
  "image/x-ms-bmp": "image/bmp",
};

/** Lower case, without parameters, and by the name that this project uses. */
export function canonicalType(type: string): string {
  const bare = type.split(";", 1)[0]!.trim().toLowerCase();
  return Object.hasOwn(CANONICAL, bare) ? CANONICAL[bare]! : bare;
}

/** `*` and `*`/`*` match everything, `text/*` every text, anything else itself under all its names. */
export function matchesType(pattern: string, type: string): boolean {
  const wanted = canonicalType(pattern);
  if (wanted === "*" || wanted === "*/*") return true;
  const found = canonicalType(type);
  return wanted.endsWith("/*") ? found.startsWith(wanted.slice(0, -1)) : found === wanted;
}

/** Whether the patterns match whatever there is, so that nobody has to look. */
export const matchesEverything = (patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesType(pattern, ""));

export const matchesAny = (patterns: readonly string[], types: readonly string[]): boolean =>
  patterns.some((pattern) => types.some((type) => matchesType(pattern, type)));

/** What a program for Windows is besides. Source: Microsoft PE format, optional header data directories. */

export const DOT_NET_TYPE = "application/x-dotnet-assembly";

const CLR_DIRECTORY = 14;

/** Whether it is run by .NET: it names a header of the common language runtime. */
export function isDotNet(content: Buffer): boolean {
  if (content.length < 0x40 || content.toString("latin1", 0, 2) !== "MZ") return false;
  const header = content.readUInt32LE(0x3c);
  if (header + 26 > content.length || content.toString("latin1", header, header + 4) !== "PE\0\0")
    return false;
  const optional = header + 24;
  const wide = content.readUInt16LE(optional) === 0x20b;
  const count = optional + (wide ? 108 : 92);
  const entry = count + 4 + 8 * CLR_DIRECTORY;
  if (entry + 8 > content.length) return false;
  return content.readUInt32LE(count) > CLR_DIRECTORY && content.readUInt32LE(entry) !== 0;
}

/**
 * Formats by their magic numbers that neither file-type nor libmagic names, or names otherwise: disk images, archives,
 * mailboxes, and what the modules of YARA read.
 */

interface Magic {
  readonly type: string;
  /** Bytes of Latin-1, and where they stand. */
  readonly at: number;
  readonly bytes: string;
}

const magic = (type: string, bytes: string, at = 0): Magic => ({ type, at, bytes });

export const DISK_IMAGE_TYPE = "application/x-raw-disk-image";
const VHD_TYPE = "application/x-virtualbox-vhd";
const DMG_TYPE = "application/x-apple-diskimage";

const MAGICS: readonly Magic[] = [
  magic("application/x-virtualbox-vhdx", "vhdxfile"),
  magic(VHD_TYPE, "conectix"),
  magic("application/x-virtualbox-vmdk", "KDMV\x01\0\0\0"),
  magic("application/x-virtualbox-vmdk", "KDMV\x02\0\0\0"),
  magic("application/x-virtualbox-vmdk", "KDMV\x03\0\0\0"),
  magic("application/x-virtualbox-vmdk", "COWD\x01\0\0\0"),
  magic("application/x-virtualbox-vmdk", "# Disk DescriptorFile"),
  magic("application/x-virtualbox-vdi", "\x7f\x10\xda\xbe", 64),
  magic("application/x-qemu-disk", "QFI\xfb"),
  magic("application/x-qemu-disk", "QED\0"),
  magic("application/vnd.squashfs", "hsqs"),
  magic("application/vnd.squashfs", "sqsh\0"),
  magic("application/x-cramfs", "Compressed ROMFS", 16),
  magic(DMG_TYPE, "koly\0\0\0\x04"),
  magic(DMG_TYPE, "encrcdsa"),
  magic(DMG_TYPE, "sprs\0\0\0"),
  magic("application/x-ms-wim", "MSWIM\0\0\0"),
  magic(DISK_IMAGE_TYPE, "EFI PART", 512),
  magic(DISK_IMAGE_TYPE, "NTFS    ", 3),
  magic(DISK_IMAGE_TYPE, "EXFAT   ", 3),
  magic(DISK_IMAGE_TYPE, "FAT12   ", 54),
  magic(DISK_IMAGE_TYPE, "FAT16   ", 54),
  magic(DISK_IMAGE_TYPE, "FAT32   ", 82),
  magic("application/x-apfs", "NXSB", 32),
  magic("application/vnd.ms-outlook-pst", "!BDN"),
  // Word asks for no more, and what follows need not be text.
  magic("application/rtf", "{\\rt"),
  magic("application/onenote", "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
  magic("application/vnd.ms-htmlhelp", "ITSF\x03\0\0\0"),
  magic("application/x-alz", "ALZ\x01"),
  magic("application/x-egg", "EGGA\0\x01"),
  magic("application/x-stuffit", "StuffIt (c)"),
  magic("application/x-stuffit", "SIT!\0"),
  magic("application/x-zoo", "\xdc\xa7\xc4\xfd", 20),
  magic("application/x-zpaq", "7kSt\xa0\x31\x83\xd3"),
  magic("application/x-lrzip", "LRZI\0"),
  magic("application/x-lzop", "\x89LZO\0\r\n\x1a\n"),
  magic("application/x-xar", "xar!\0\x1c"),
  magic("application/x-ace-compressed", "**ACE**", 7),
  magic("application/x-dex", "dex\n0"),
  magic("application/x-dex", "dey\n0"),
  magic("application/x-mach-binary", "\xfe\xed\xfa\xce"),
  magic("application/x-mach-binary", "\xfe\xed\xfa\xcf"),
  magic("application/x-mach-binary", "\xce\xfa\xed\xfe"),
  magic("application/x-mach-binary", "\xcf\xfa\xed\xfe"),
  magic("application/x-google-chrome-extension", "Cr24\x02\0\0\0"),
  magic("application/x-google-chrome-extension", "Cr24\x03\0\0\0"),
];

const matches = (content: Buffer, { at, bytes }: Magic): boolean =>
  at >= 0 &&
  content.length >= at + bytes.length &&
  content.toString("latin1", at, at + bytes.length) === bytes;

/** MIME types, without what is behind the first kilobyte. */
export const numberedTypes = (content: Buffer): readonly string[] => [
  ...MAGICS.filter((candidate) => matches(content, candidate)).map(({ type }) => type),
  ...universalTypes(content),
];

/** Programs of Apple for several processors begin like classes of Java, whose version is never as low as their count. */
function universalTypes(content: Buffer): readonly string[] {
  if (content.length < 8) return [];
  const number = content.readUInt32BE(0);
  const wide = number === 0xcafebabf;
  if (number !== 0xcafebabe && !wide) return [];
  const programs = content.readUInt32BE(4);
  return programs > 0 && programs < 40 ? ["application/x-mach-binary"] : [];
}

/** At the end of disk images: they begin with whatever the disk does. */
const TRAILERS: readonly (readonly [type: string, fromEnd: number, bytes: string])[] = [
  [DMG_TYPE, 512, "koly\0\0\0\x04"],
  [DMG_TYPE, 8, "cdsaencr"],
  [VHD_TYPE, 512, "conectix"],
  // Of Virtual PC before 2004.
  [VHD_TYPE, 511, "conectix"],
];

/** MIME types of a whole content. */
export const trailingTypes = (content: Buffer): readonly string[] =>
  TRAILERS.filter(([type, fromEnd, bytes]) =>
    matches(content, { type, at: content.length - fromEnd, bytes }),
  ).map(([type]) => type);

export const FOUND_AT_THE_END: readonly string[] = [...new Set(TRAILERS.map(([type]) => type))];

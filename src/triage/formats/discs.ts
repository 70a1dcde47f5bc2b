/**
 * Images of optical discs: their first 32 KiB belong to whatever system boots from them, and may look like anything. Behind
 * them stand descriptors, 2 KiB each. Sources: ECMA-119 (ISO 9660) 6.7.1, 8; ECMA-167 2/8.3 (UDF).
 */

export const ISO_TYPE = "application/x-iso9660-image";
export const UDF_TYPE = "application/x-udf-image";

const SECTOR_BYTES = 2048;
const FIRST_SECTOR = 16;
/** No disc has more before those that tell it. */
const MOST_DESCRIPTORS = 16;
/** How much of a content tells whether it is one. */
export const DISC_BYTES = (FIRST_SECTOR + MOST_DESCRIPTORS) * SECTOR_BYTES;

const TYPES: Readonly<Record<string, string>> = { CD001: ISO_TYPE, NSR02: UDF_TYPE, NSR03: UDF_TYPE };
const OTHERS = new Set(["BEA01", "TEA01", "BOOT2", "CDW02"]);

/** As a drive reads them: each sector with its marks before and its sums behind. */
const RAW_SECTOR_BYTES = 2352;
const RAW_MARK = "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0";
const RAW_DATA_AT = [16, 24];

/** MIME types, the one of more use first: many discs have both. */
export function discTypes(content: Buffer): readonly string[] {
  const layouts = content.toString("latin1", 0, RAW_MARK.length) === RAW_MARK ? RAW_DATA_AT : [];
  const found = [
    ...descriptorsOf(content, SECTOR_BYTES, 0),
    ...layouts.flatMap((dataAt) => descriptorsOf(content, RAW_SECTOR_BYTES, dataAt)),
  ];
  return [...new Set(found)];
}

function descriptorsOf(content: Buffer, sectorBytes: number, dataAt: number): readonly string[] {
  const types: string[] = [];
  for (let sector = FIRST_SECTOR; sector < FIRST_SECTOR + MOST_DESCRIPTORS; sector++) {
    const at = sector * sectorBytes + dataAt + 1;
    const name = content.toString("latin1", at, at + 5);
    const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (type !== undefined) types.push(type);
    else if (!OTHERS.has(name)) break;
  }
  return types;
}

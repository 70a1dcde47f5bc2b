/** What a ZIP is for, by the names of its members. */
import type { ZipEntry } from "./zip-directory.ts";

export const ZIP_TYPE = "application/zip";
export const JAR_TYPE = "application/java-archive";
export const APK_TYPE = "application/vnd.android.package-archive";

const OPEN_XML = "application/vnd.openxmlformats-officedocument";

/** By the folder that holds the document. */
const OFFICE: readonly (readonly [folder: string, plain: string, macroEnabled: string])[] = [
  ["word/", `${OPEN_XML}.wordprocessingml.document`, "application/vnd.ms-word.document.macroenabled.12"],
  ["xl/", `${OPEN_XML}.spreadsheetml.sheet`, "application/vnd.ms-excel.sheet.macroenabled.12"],
  [
    "ppt/",
    `${OPEN_XML}.presentationml.presentation`,
    "application/vnd.ms-powerpoint.presentation.macroenabled.12",
  ],
];

/** Every type that the names in a ZIP may tell. */
export const ZIP_KINDS: readonly string[] = [
  APK_TYPE,
  JAR_TYPE,
  "application/vnd.ms-excel.sheet.binary.macroenabled.12",
  ...OFFICE.flatMap(([, ...types]) => types),
];

type Named = Pick<ZipEntry, "name">;

/** A workbook in records instead of XML; it may have macros without another name. */
const XLSB_TYPE = "application/vnd.ms-excel.sheet.binary.macroenabled.12";
const BINARY_WORKBOOK = "xl/workbook.bin";

/** Programs in an office document: VBA, or the sheets of Excel 4.0. */
const MACROS = /(?:^|\/)vbaproject\.bin$|^xl\/macrosheets\//i;
const ODF_MACROS = /^(?:basic|scripts)\/.+/i;

/** MIME types of the container besides application/zip, most specific first. `main` is what it says of its main part. */
export function zipKinds(entries: readonly Named[], main: readonly string[] = []): readonly string[] {
  const names = new Set(entries.map(({ name }) => name));
  const isBinary = names.has(BINARY_WORKBOOK) || main.includes(XLSB_TYPE);
  const kinds: string[] = [];
  if (names.has("AndroidManifest.xml")) kinds.push(APK_TYPE);
  else if (names.has("META-INF/MANIFEST.MF")) kinds.push(JAR_TYPE);
  // What a head shows of a large workbook may end before its content types.
  if (isBinary) kinds.push(XLSB_TYPE);
  if (names.has("[Content_Types].xml")) {
    for (const [folder, plain, macroEnabled] of OFFICE) {
      if (!entries.some(({ name }) => name.startsWith(folder))) continue;
      if (folder === "xl/" && isBinary) continue;
      if (hasMacros(entries)) kinds.push(macroEnabled);
      kinds.push(plain);
    }
  }
  return [...new Set([...main.filter((type) => !OFFICE.some((of) => of.includes(type))), ...kinds])];
}

/**
 * Whether another type found in the same ZIP says better what it is: file-type takes every workbook for one of XML.
 */
export const isOutranked = (type: string, found: ReadonlySet<string>): boolean =>
  found.has(XLSB_TYPE) && OFFICE.some(([folder, ...types]) => folder === "xl/" && types.includes(type));

export const hasMacros = (entries: readonly Named[]): boolean =>
  entries.some(({ name }) => MACROS.test(name.replaceAll("\\", "/"))) ||
  (entries.some(({ name }) => name === "META-INF/manifest.xml") &&
    entries.some(({ name }) => ODF_MACROS.test(name) && !name.endsWith("/")));

/**
 * How well scripts are known by their content: every text in the folders given, its type by the ending of its name against
 * the types detected in it. Half of the files, by the hash of their content, are for tuning; the report is of the other
 * half, the held-out one (`--tuning`: of the first; `--misses`: names what is wrong). Prints precision and recall of each
 * type, and recall in other encodings and with comments first. docs/file-types.md says where the files come from.
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { detectTypes } from "../src/triage/detect.ts";

const { values, positionals } = parseArgs({
  options: { tuning: { type: "boolean", default: false }, misses: { type: "boolean", default: false } },
  allowPositionals: true,
});
if (positionals.length === 0) {
  console.error("Usage: npm run bench:types -- FOLDER... (docs/file-types.md says how to make one)");
  process.exit(2);
}

/** Of each ending, the first by hash. */
const MOST_FILES = 300;
/** Of each type, in other encodings and with comments first as well. */
const MOST_VARIED = 60;
const LEAST_BYTES = 60;
const MOST_BYTES = 512 * 1024;

/** Type by the ending, and how a comment is written before the rest. */
const SCRIPTS: Readonly<Record<string, { readonly type: string; readonly comment: string | undefined }>> = {
  ".vbs": { type: "text/vbscript", comment: "' " },
  ".ps1": { type: "application/x-powershell", comment: "# " },
  ".psm1": { type: "application/x-powershell", comment: "# " },
  ".psd1": { type: "application/x-powershell", comment: "# " },
  ".js": { type: "application/javascript", comment: "// " },
  ".mjs": { type: "application/javascript", comment: "// " },
  ".cjs": { type: "application/javascript", comment: "// " },
  ".bat": { type: "text/x-msdos-batch", comment: "rem " },
  ".cmd": { type: "text/x-msdos-batch", comment: "rem " },
  ".py": { type: "text/x-python", comment: "# " },
  ".sh": { type: "text/x-shellscript", comment: "# " },
  ".php": { type: "text/x-php", comment: undefined },
  ".jsp": { type: "text/x-jsp", comment: undefined },
  ".asp": { type: "text/asp", comment: undefined },
  ".wsf": { type: "application/x-wsf", comment: undefined },
  ".sct": { type: "text/scriptlet", comment: undefined },
  ".hta": { type: "application/hta", comment: undefined },
};
/** Texts of other kinds: none of the types above is right for them. */
const OTHERS =
  ".md .rst .txt .json .xml .html .htm .css .scss .less .java .c .cc .cpp .h .hpp .rb .pl .pm .lua .go .rs .cs .yml .yaml .csv .log .tcl .toml .ini .cfg .conf .properties .po .svg .tex .sql .vim .el .cmake .nsi .nsh .ejs .erb .awk .sed .diff .patch .erl .hs .scala .kt .swift .r .f90 .mustache .twig .hbs .map".split(
    " ",
  );
/** Which languages' words a file may have besides: pages have the language of the server in them. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  ".asp": ["text/vbscript", "application/javascript", "text/x-python"],
  ".wsf": ["text/vbscript", "application/javascript"],
  ".sct": ["text/vbscript", "application/javascript", "text/x-python"],
  ".hta": ["text/vbscript", "application/javascript"],
  ".html": ["text/vbscript"],
  ".htm": ["text/vbscript"],
};
const TYPES = [...new Set(Object.values(SCRIPTS).map(({ type }) => type))];

interface Sample {
  readonly path: string;
  readonly ending: string;
  readonly hash: string;
  readonly content: Buffer;
}

const FILLER = "Copyright (c) the authors. See the manual for how to use it, and for what it is.";

const OF_SHELLS = /^(?!#!)|^#![^\n]*\b(?:ba|da|k|z|a)?sh\b/;

/** What a first line says of the interpreter would make it too easy. */
const withoutShebang = (text: string): string => text.replace(/^#![^\n]*\n/, "");

function readSamples(folder: string, ending: string): Sample[] {
  return globSync(`**/*${ending}`, { cwd: folder }).flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size < LEAST_BYTES || stat.size > MOST_BYTES) return [];
    if (ending === ".sh" && !OF_SHELLS.test(readFileSync(path, "latin1"))) return [];
    const content = Buffer.from(withoutShebang(readFileSync(path, "latin1")), "latin1");
    return [{ path, ending, hash: createHash("sha256").update(content).digest("hex"), content }];
  });
}

const isTuning = ({ hash }: Sample): boolean => Number.parseInt(hash[0]!, 16) < 8;

function sampled(ending: string): readonly Sample[] {
  const all = positionals.flatMap((folder) => readSamples(folder, ending));
  const distinct = [...new Map(all.map((sample) => [sample.hash, sample])).values()];
  return distinct
    .filter((sample) => isTuning(sample) === values.tuning)
    .toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
    .slice(0, MOST_FILES);
}

const VARIANTS: readonly (readonly [
  name: string,
  make: (text: string, comment?: string) => Buffer | undefined,
])[] = [
  ["UTF-16 LE with BOM", (text) => Buffer.from(`\ufeff${text}`, "utf16le")],
  ["UTF-16 LE", (text) => Buffer.from(text, "utf16le")],
  [
    "UTF-16 BE",
    (text) =>
      Buffer.from(text, "utf16le")
        .subarray(0, 2 * text.length)
        .swap16(),
  ],
  [
    "100 comments first",
    (text, comment) =>
      comment === undefined ? undefined : Buffer.from(`${comment}${FILLER}\r\n`.repeat(100) + text),
  ],
];

interface Tally {
  files: number;
  right: number;
  wrong: number;
  readonly variants: Map<string, { of: number; right: number }>;
}
const tallies = new Map<string, Tally>(
  TYPES.map((type) => [type, { files: 0, right: 0, wrong: 0, variants: new Map() }]),
);
let negatives = 0;
const wrongBy = new Map<string, number>();

for (const ending of [...Object.keys(SCRIPTS), ...OTHERS]) {
  const script = SCRIPTS[ending];
  for (const sample of sampled(ending)) {
    const types = await detectTypes(sample.content, "file", "whole");
    if (script === undefined) negatives++;
    else await judgeScript(sample, script, types);
    for (const type of types) {
      const tally = tallies.get(type);
      if (tally === undefined || type === script?.type || ALSO[ending]?.includes(type)) continue;
      tally.wrong++;
      wrongBy.set(
        `${extname(sample.path)} as ${type}`,
        (wrongBy.get(`${extname(sample.path)} as ${type}`) ?? 0) + 1,
      );
      if (values.misses) console.log(`wrong  ${type}  ${sample.path}`);
    }
  }
}

async function judgeScript(
  sample: Sample,
  { type, comment }: { readonly type: string; readonly comment: string | undefined },
  types: readonly string[],
): Promise<void> {
  const tally = tallies.get(type)!;
  tally.files++;
  if (types.includes(type)) tally.right++;
  else if (values.misses) console.log(`missed ${type}  ${sample.path} ${types.join()}`);
  if (tally.files > MOST_VARIED) return;
  for (const [name, make] of VARIANTS) {
    const content = make(sample.content.toString("utf8"), comment);
    if (content === undefined) continue;
    const count = tally.variants.get(name) ?? { of: 0, right: 0 };
    count.of++;
    if ((await detectTypes(content, "file", "whole")).includes(type)) count.right++;
    tally.variants.set(name, count);
  }
}

const share = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
const rows = [...tallies].map(([type, { files, right, wrong, variants }]) => ({
  type,
  files,
  recall: share(right, files),
  precision: share(right, right + wrong),
  ...Object.fromEntries(
    VARIANTS.map(([name]) => [name, share(variants.get(name)?.right ?? 0, variants.get(name)?.of ?? 0)]),
  ),
}));
console.log(`${values.tuning ? "tuning" : "held-out"} half; ${negatives} texts of other kinds`);
console.table(rows);
console.table(Object.fromEntries([...wrongBy].toSorted(([, a], [, b]) => b - a)));

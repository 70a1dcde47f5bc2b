/**
 * Measures the shape of the source tree, and says how far each measure is from its goal:
 *
 *     npm run shape                        every measure, with the first of what keeps it from its goal
 *     npm run shape -- --list cycles       all of it, for one measure
 *     npm run shape -- --json              everything, for a program
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Measure } from "./measure.ts";
import { measuresOf } from "./measures.ts";
import { type Import, importsOf } from "./modules.ts";
import { report } from "./report.ts";
import { readTree } from "./tree.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** Beside `src`; what they use is used, though not by the program. */
const BESIDE = ["test", "bench", "scripts"];

function measureRepository(): readonly Measure[] {
  const imports = BESIDE.flatMap((folder) =>
    readTree(join(REPOSITORY, folder)).flatMap((file) =>
      importsOf({ ...file, path: `../${folder}/${file.path}` }).map(fromSrc),
    ),
  );
  return measuresOf(readTree(join(REPOSITORY, "src")), { imports, entries: entries() });
}

/** Paths of an import as the tree below `src` has them. */
const fromSrc = ({ from, to, names }: Import): Import => ({
  from,
  to: to.replace(/^\.\.\/src\//, ""),
  names,
});

/** What the package offers to those who install it. */
function entries(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, { readonly source: string }>>;
  };
  return Object.values(exports).map(({ source }) => source.replace(/^\.\/src\//, ""));
}

const { values } = parseArgs({ options: { list: { type: "string" }, json: { type: "boolean" } } });
const measures = measureRepository();
const listed = measures.find(({ name }) => name === values.list);
if (values.json === true) console.log(JSON.stringify(measures, null, 2));
else if (listed !== undefined) console.log(listed.offenders.join("\n"));
else if (values.list === undefined) console.log(report(measures));
else {
  console.error(`No such measure: ${values.list}. There are ${measures.map(({ name }) => name).join(", ")}.`);
  process.exitCode = 2;
}

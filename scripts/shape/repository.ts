import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measure } from "./measure.ts";
import { measuresOf } from "./measures.ts";
import { type Import, importsOf } from "./modules.ts";
import { readTree } from "./tree.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** Beside `src`; what they use is used, though not by the program. */
const BESIDE = ["test", "bench", "scripts"];

/** Every measure of this repository. */
export function measureRepository(): readonly Measure[] {
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

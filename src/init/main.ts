/** Composition root of `init`: writes a ready project, all of it or nothing. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { InitConfig } from "../config/commands/init.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { type Project, type ProjectFile, TOOLS } from "./project.ts";
import { projectFiles } from "./project-files.ts";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
/** Names a package, a folder and a queue; a package cannot depend on one of its own name. */
const NAME = /^(?!microengine$)[a-z][a-z0-9-]{0,63}$/;

/** Resolves to the exit code. Throws ConfigFault when there is no such name, or no room for the folder. */
export async function runInit(config: InitConfig, words: readonly string[]): Promise<number> {
  const name = nameIn(words);
  const folder = resolve(config.into, name);
  const files = projectFiles({
    name,
    scanner: config.exec ? "program" : "module",
    origin: originFor(folder),
    ...(await ourPackage()),
  });
  await makeFolder(folder);
  try {
    for (const file of files) await writeProjectFile(folder, file);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  process.stdout.write(told(name, join(config.into, name), files));
  return 0;
}

function nameIn([name, ...more]: readonly string[]): string {
  if (name === undefined) {
    throw new ConfigFault("NAME_MISSING", "The project needs a name.", {
      hint: "For example: microengine init my-scanner",
    });
  }
  if (more.length > 0) {
    throw new ConfigFault("NAME_INVALID", `One name is enough: "${more[0]}" is one too many.`);
  }
  if (NAME.test(name)) return name;
  throw new ConfigFault("NAME_INVALID", `${JSON.stringify(name)} cannot be the name of a project.`, {
    hint: 'It must be lower-case letters, digits and dashes, begin with a letter, and not be "microengine". --into says where the folder is made.',
  });
}

/** In a clone this module is TypeScript. */
function originFor(folder: string): Project["origin"] {
  if (!import.meta.url.endsWith(".ts")) return { kind: "npm" };
  return { kind: "clone", path: relative(folder, PACKAGE).replaceAll("\\", "/") };
}

const PackageJson = z.object({
  version: z.string(),
  devDependencies: z.object(
    Object.fromEntries(TOOLS.map((tool) => [tool, z.string()])) as Record<
      (typeof TOOLS)[number],
      z.ZodString
    >,
  ),
});

async function ourPackage(): Promise<Pick<Project, "version" | "tools">> {
  const { version, devDependencies } = PackageJson.parse(
    JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")),
  );
  return { version, tools: devDependencies };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new ConfigFault("PROJECT_EXISTS", `There is a ${folder} already; nothing was written.`, {
        cause,
      });
    }
    throw new ConfigFault("PROJECT_UNWRITABLE", `The folder cannot be made: ${describeError(cause)}.`, {
      hint: "--into names an existing folder to make it in.",
      cause,
    });
  }
}

async function writeProjectFile(folder: string, { path, text, executable }: ProjectFile): Promise<void> {
  const place = join(folder, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, text, { flag: "wx" });
  if (executable) await chmod(place, 0o755);
}

const told = (name: string, folder: string, files: readonly ProjectFile[]): string =>
  `Wrote ${name}, ${files.length} files:

${files.map(({ path }) => `  ${join(folder, path)}`).join("\n")}

Next:

  cd ${folder}
  npm install
  npm test
  npm run scan -- samples
`;

/** What a project is made of, before it is on disk. */
export interface Project {
  /** Of the scanner, the package and the folder. */
  readonly name: string;
  /** `module`: a scanner in TypeScript. `program`: an external program, with the JSON file that describes it. */
  readonly scanner: "module" | "program";
  /** Where microengine comes from: npm, or a clone of its repository, at this path from the project's folder. */
  readonly origin: { readonly kind: "npm" } | { readonly kind: "clone"; readonly path: string };
  /** Of microengine. */
  readonly version: string;
  /** Version ranges of the tools that microengine itself is built with. */
  readonly tools: Readonly<Record<(typeof TOOLS)[number], string>>;
}

export const TOOLS = ["@types/node", "node", "typescript"] as const;

export interface ProjectFile {
  /** Relative to the project's folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly executable?: true;
}

/** What `--backend` is given. */
export const backendOf = ({ scanner }: Pick<Project, "scanner">): string =>
  scanner === "module" ? "./scanner.ts" : "./scanner.json";

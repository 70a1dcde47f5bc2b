/** What `init` writes: the files of a project, put together from its parts. Pure. */
import { containerFiles } from "./container-files.ts";
import { packageFiles } from "./package-files.ts";
import type { Project, ProjectFile } from "./project.ts";
import { readme } from "./readme.ts";
import { moduleFiles } from "./scanner-module.ts";
import { programFiles } from "./scanner-program.ts";
import { strategyFiles } from "./strategy-files.ts";

export const projectFiles = (project: Project): readonly ProjectFile[] => [
  { path: "README.md", text: readme(project) },
  ...packageFiles(project),
  ...(project.scanner === "module" ? moduleFiles(project) : programFiles(project)),
  ...strategyFiles(project),
  ...containerFiles(project),
];

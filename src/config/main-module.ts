import { fileURLToPath } from "node:url";

/** The command line's module, for starting another process of ours: TypeScript in a checkout, JavaScript when published. */
export function mainModule(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../main.${extension}`, import.meta.url));
}

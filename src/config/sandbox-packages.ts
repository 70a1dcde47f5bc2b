/** The packages that only a sandbox needs, which an installation may be without. */
import { findPackageJSON } from "node:module";
import { ConfigFault } from "../domain/fault.ts";

const NEEDED = ["@foundry-rs/anvil", "@fastify/multipart", "@scure/base"] as const;

const isInstalled = (name: string): boolean => {
  try {
    return findPackageJSON(name, import.meta.url) !== undefined;
  } catch {
    return false;
  }
};

/** Throws ConfigFault SANDBOX_PACKAGES that names those that are missing, before one of them is asked for. */
export function requireSandboxPackages(installed: (name: string) => boolean = isInstalled): void {
  const missing = NEEDED.filter((name) => !installed(name));
  if (missing.length === 0) return;
  throw new ConfigFault(
    "SANDBOX_PACKAGES",
    `A sandbox needs packages that are not installed: ${missing.join(", ")}.`,
    {
      hint: "Install them with npm install --include=optional; with Docker, build the image with them: docker build --target sandbox -t microengine-sandbox .",
    },
  );
}

/**
 * Scans files with YARA rules: `--backend yara --yara-rules PATH`. docs/backend-yara.md says what rules may say of
 * family and confidence.
 */
import { statSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { z } from "zod";
import { ConfigFault } from "../../domain/fault.ts";
import type { ArtifactClaim, Scanner, ScannerSettings } from "../contract.ts";
import type { Externals } from "./engine.ts";
import { findingOfMatches } from "./finding.ts";
import { LiveRules } from "./live-rules.ts";

const Settings = z.object({
  /** A rule file, or a folder with such. */
  rules: z.string().optional(),
  /** Whether to go on without rules that do not compile and files that cannot be read. */
  skipBroken: z.boolean().default(false),
});

/** What the ambassador calls the file, and nothing else: of the rest there is nothing to tell. */
function externalsOf({ filename = "" }: ArtifactClaim): Externals {
  const name = basename(filename.replaceAll("\\", "/"));
  return { filename: name, extension: extname(name), filepath: "", filetype: "", owner: "" };
}

/** What its rules may include: files of their folder, and beside a single file. */
const folderOf = (rules: string): string =>
  statSync(rules, { throwIfNoEntry: false })?.isFile() ? dirname(rules) : rules;

export const scanner = (settings: ScannerSettings): Scanner => {
  const { rules, skipBroken } = Settings.parse(settings);
  let live: LiveRules | undefined;
  return {
    name: "yara",
    version: "1.0.0",
    // The content is copied into the engine's memory, which ends at 4 GiB.
    accepts: { kinds: ["file"], maxSizeBytes: 512 * 1024 * 1024 },
    // The native engine is an addon. It is only loaded for many rules, and WebAssembly needs nothing.
    confine: { read: rules === undefined ? [] : [folderOf(rules)], addons: true },
    async setup(host) {
      if (rules === undefined) {
        throw new ConfigFault("YARA_RULES_UNSET", "The yara backend has no rules.", {
          hint: "Name a rule file or a folder with --yara-rules (variable RULES_DIR).",
        });
      }
      live = await LiveRules.open({ root: rules, host, onBroken: skipBroken ? "skip" : "refuse" });
    },
    scan({ bytes, claim }) {
      const { engine, version } = live!;
      return findingOfMatches(engine.scan(bytes, externalsOf(claim)), {
        engine: engine.name,
        rules: version,
      });
    },
    teardown() {
      live?.[Symbol.dispose]();
    },
  };
};

import type { Project, ProjectFile } from "./project.ts";
import { sampleFiles, scannerTest } from "./sample-files.ts";

/** A scanner in TypeScript. */
export const moduleFiles = ({ name }: Pick<Project, "name">): readonly ProjectFile[] => [
  { path: "scanner.ts", text: scanner(name) },
  { path: "test/scanner.test.ts", text: scannerTest("scanner.ts") },
  ...sampleFiles(),
];

const scanner = (name: string): string => `import { defineScanner } from "microengine/scanner";

/** A download that is handed straight to a shell. */
const DOWNLOAD_AND_RUN = /\\b(?:curl|wget)\\b[^\\n|]*\\|\\s*(?:sudo\\s+)?(?:ba|z|da)?sh\\b/;

export const scanner = defineScanner({
  name: "${name}",
  version: "0.1.0",
  // What is not listed here is not sent to this scanner.
  accepts: { types: ["text/*"], maxSizeBytes: 1024 * 1024 },
  scan({ bytes }) {
    const text = Buffer.from(bytes).toString("latin1");
    // Unknown costs nothing; benign would be a bet that the file is clean.
    if (!DOWNLOAD_AND_RUN.test(text)) return { verdict: "unknown" };
    return { verdict: "malicious", confidence: 0.8, family: "Script.DownloadAndRun" };
  },
});
`;

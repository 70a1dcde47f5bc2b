import { backendOf, type Project, type ProjectFile } from "./project.ts";

/** What makes the folder a package: its manifest, the compiler's settings, what git leaves alone. */
export const packageFiles = (project: Project): readonly ProjectFile[] => [
  { path: "package.json", text: json(manifest(project)) },
  { path: "tsconfig.json", text: json(compilerSettings(project)) },
  { path: ".gitignore", text: "node_modules/\ndata/\nsandbox-wallet/\n.env\nscanner.env\n" },
];

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

function manifest(project: Project): object {
  const { name, origin, version, tools } = project;
  const cloned = origin.kind === "clone";
  // A clone has sources and no build: Node runs them as they are, and is told to resolve to them.
  const microengine = cloned ? "node node_modules/microengine/src/main.ts" : "microengine";
  const wallet = "--keyfile sandbox-wallet/keyfile --password-file sandbox-wallet/password";
  const engine = `--backend ${backendOf(project)} --bid-strategy ./bid-strategy.ts`;
  return {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: {
      test: `node ${cloned ? "--conditions=source " : ""}--test "test/*.test.ts"`,
      check: "tsc",
      start: microengine,
      scan: `${microengine} scan --backend ${backendOf(project)}`,
      sandbox: `${microengine} sandbox --artifacts samples ${engine}`,
      engine: `${microengine} producer --embedded 2 ${engine} --polyswarmd-addr http://127.0.0.1:31337 ${wallet} --data-dir sandbox-wallet/data`,
    },
    dependencies: { microengine: cloned ? `file:${origin.path}` : `^${version}` },
    devDependencies: tools,
    // The package node fetches its binary by a script, which newer versions of npm run only when told so.
    allowScripts: { node: true },
  };
}

const compilerSettings = ({ origin }: Project): object => ({
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "esnext.error", "esnext.iterator"],
    module: "nodenext",
    types: ["node"],
    ...(origin.kind === "clone" ? { customConditions: ["source"] } : {}),
    strict: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ["*.ts", "test"],
});

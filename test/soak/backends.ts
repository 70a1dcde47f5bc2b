/** Every kind of backend, as the flags that give it to a consumer. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startClamd } from "../fixtures/clamd-server.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface SoakBackends extends AsyncDisposable {
  /** By name. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
}

const hasClamd = (): boolean =>
  spawnSync("clamd", ["--version"], {
    stdio: "ignore",
    env: { ...process.env, PATH: [process.env.PATH, "/usr/sbin", "/usr/local/sbin"].join(delimiter) },
  }).status === 0;

/** Those that this machine can run; descriptions go into `folder`. */
export async function openBackends(folder: string): Promise<SoakBackends> {
  const opened = new AsyncDisposableStack();
  const service = createServer((request, response) => {
    request.resume().on("end", () => response.end(JSON.stringify({ verdict: "unknown" })));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  opened.defer(() => {
    service.closeAllConnections();
    service.close();
  });
  const describe = (name: string, more: object): readonly string[] => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ name, version: "1.0.0", ...more }));
    return ["--backend", file];
  };
  const clamd = hasClamd() ? opened.use(await startClamd()) : undefined;
  const flags = {
    eicar: ["--backend", "eicar"],
    yara: ["--backend", "yara", "--yara-rules", here("../fixtures/yara")],
    grep: describe("grep", {
      type: "exec",
      command: ["grep", "-q", "EICAR-STANDARD", "{path}"],
      exitCodes: { "0": { verdict: "malicious" }, "1": { verdict: "unknown" } },
    }),
    service: describe("service", {
      type: "http",
      url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/`,
      answer: { verdict: "/verdict" },
    }),
    ...(clamd === undefined ? {} : { clamav: ["--backend", "clamav", "--clamd", clamd.socket] }),
  };
  return { flags, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

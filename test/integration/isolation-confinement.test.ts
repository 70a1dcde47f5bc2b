import { once } from "node:events";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { canLeaveNetwork } from "../../src/isolation/process/launch.ts";
import { temporaryFolder } from "../e2e/engine.ts";
import { ScannerWork } from "./scanner-work.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/scanners/${name}`, import.meta.url));
const DENIED = { denied: "ERR_ACCESS_DENIED" };

describe("a confined scanner", () => {
  const folder = temporaryFolder();
  const granted = temporaryFolder();
  const secret = join(folder.path, "keyfile");
  const server = createServer((socket) => socket.destroy());
  let work: ScannerWork;
  const attempt = async (what: string, argument = ""): Promise<unknown> => {
    const outcome = await work.scan(JSON.stringify([what, argument]));
    return outcome.kind === "finding" ? (outcome.finding as { metadata: unknown }).metadata : outcome;
  };

  beforeAll(async () => {
    writeFileSync(secret, "the wallet");
    vi.stubEnv("SCANNER_TOKEN", "its own");
    vi.stubEnv("API_KEY", "not its own");
    vi.stubEnv("SCANNER_READS", granted.path);
    await once(server.listen(0, "127.0.0.1"), "listening");
    work = await ScannerWork.open(fixture("jailed.ts"));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await work[Symbol.asyncDispose]();
    server.close();
    folder[Symbol.dispose]();
    granted[Symbol.dispose]();
  });

  it("reads what it says it reads, and what it writes itself", async () => {
    expect(await attempt("read-granted")).toEqual({ end: expect.any(Number) });
    expect(await attempt("read-own")).toEqual({ end: "text" });
  });

  it.each(["/etc/passwd", secret, fixture("../../../package.json"), "/proc/self/environ"])(
    "does not read %s",
    async (path) => {
      expect(await attempt("read", path)).toEqual(DENIED);
    },
  );

  it("does not read what lies beside its module, unless it says so", async () => {
    expect(await attempt("read-neighbour")).toEqual(DENIED);
  });

  it("lists no folders", async () => {
    for (const path of ["/", tmpdir(), folder.path]) expect(await attempt("list", path)).toEqual(DENIED);
  });

  it("writes nothing that outlives its scan", async () => {
    const path = join(folder.path, "written");
    expect(await attempt("write", path)).toEqual(DENIED);
    expect(await attempt("write", join(granted.path, "written"))).toEqual(DENIED);
    expect(existsSync(path)).toBe(false);
  });

  it("writes nothing by way of a database, or of what the JavaScript engine can be told to write", async () => {
    const path = join(folder.path, "database");
    expect(await attempt("database", path)).toEqual({ denied: "ERR_UNKNOWN_BUILTIN_MODULE" });
    expect(existsSync(path)).toBe(false);
    await using other = await ScannerWork.open(fixture("jailed.ts"));
    const flag = JSON.stringify(["engine-flag", "--trace-turbo"]);
    expect(await other.scan(flag)).toMatchObject({ kind: "crashed" });
  });

  it("makes no link to lead it out", async () => {
    expect(await attempt("link", secret)).toEqual(DENIED);
  });

  it("starts no program, no thread and no addon", async () => {
    expect(await attempt("spawn")).toEqual(DENIED);
    expect(await attempt("thread")).toEqual(DENIED);
    expect(await attempt("addon")).toEqual({ denied: "ERR_DLOPEN_DISABLED" });
  });

  it("reaches no service, where the system can take the network away", async () => {
    const address = server.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const reached = { end: "connected" };
    expect(await attempt("connect", port)).toEqual(
      (await canLeaveNetwork()) ? { denied: "ENETUNREACH" } : reached,
    );
  });

  it("finds no secret in its environment but its own", async () => {
    const { end } = (await attempt("environment")) as { end: readonly string[] };
    expect(end).toContain("SCANNER_TOKEN");
    expect(end.filter((name) => /KEY|PASSW|SECRET|REDIS/.test(name))).toEqual([]);
  });

  // What docs/isolation.md says is not stopped: if it were, it should say so.
  it("may open a unix socket of its user", async () => {
    const path = join(folder.path, "socket");
    const local = createServer((socket) => socket.destroy());
    await once(local.listen(path), "listening");
    expect(await attempt("connect-file", path)).toEqual({ end: "connected" });
    local.close();
  });

  it("may signal other processes of its user, and follow a link that it was given", async () => {
    expect(await attempt("signal", String(process.pid))).toEqual({ end: true });
    const link = join(granted.path, "link");
    symlinkSync(secret, link);
    expect(await attempt("read", link)).toEqual({ end: 10 });
  });
});

describe("a scanner that does not ask to be confined", () => {
  it("may do what the consumer may", async () => {
    await using work = await ScannerWork.open(fixture("puppet.ts"));
    expect(await work.scan("path")).toMatchObject({ kind: "finding" });
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createKeystore } from "../../src/wallet/keystore.ts";
import type { LoadTurn } from "../fixtures/loads-per-turn.ts";
import { freePort } from "../fixtures/queue/redis-server.ts";
import { temporaryFolder } from "./engine.ts";
import { run } from "./run-process.ts";

/** The largest package, bullmq with what it needs, has 1.9 MB; all that a start loads after its command line, 5 MB. */
const MOST_BYTES = 2_500_000;

describe("a producer that starts", () => {
  it("loads what it needs piece by piece, with a turn of the event loop after each", async () => {
    using folder = temporaryFolder();
    const [keyfile, loads] = [join(folder.path, "keyfile"), join(folder.path, "loads.json")];
    writeFileSync(
      keyfile,
      JSON.stringify(await createKeystore(new Uint8Array(32).fill(7), "x", { n: 4_096 })),
    );
    const { code, stderr } = await run(
      process.execPath,
      [
        ...["--import", "./test/fixtures/loads-per-turn.ts", "src/main.ts", "producer", "--wait", "0"],
        ...["--polyswarmd-addr", `http://127.0.0.1:${await freePort()}`, "--keyfile", keyfile],
        ...["--data-dir", join(folder.path, "data"), "--embedded", "1", "--http-port", "0"],
      ],
      { PASSWORD: "x", LOADS_PER_TURN: loads },
    );
    expect(stderr).toContain("127.0.0.1");
    expect(code).toBe(2);
    const turns = JSON.parse(readFileSync(loads, "utf8")) as readonly LoadTurn[];
    const loaded = turns.map(({ first }) => first).join(" ");
    for (const piece of ["web3-utils", "fastify", "bullmq", "start/open-answering"])
      expect(loaded).toContain(piece);
    expect(turns.filter(({ bytes }) => bytes > MOST_BYTES)).toEqual([]);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { holdDataDir } from "../../src/ledger/hold.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hold-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("a data directory is refused to a second producer, which is told who has it", () => {
  using _first = holdDataDir(folder);
  expect(() => holdDataDir(folder)).toThrow(
    expect.objectContaining({
      code: "DATA_DIR_HELD",
      message: expect.stringContaining(`process ${process.pid}`),
    }),
  );
});

it("a data directory is free again when its producer stopped", () => {
  holdDataDir(folder)[Symbol.dispose]();
  using _second = holdDataDir(folder);
});

it("a data directory is free at once when its producer was killed", async () => {
  const module = new URL("../../src/ledger/hold.ts", import.meta.url).href;
  const program = `import { holdDataDir } from ${JSON.stringify(module)};
    globalThis.held = holdDataDir(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  expect(() => holdDataDir(folder)).toThrow(expect.objectContaining({ code: "DATA_DIR_HELD" }));
  const gone = once(holder, "exit");
  holder.kill("SIGKILL");
  await gone;
  using _next = holdDataDir(folder);
});

it.each(["producer.lock", "producer.pid"])(
  "a data directory whose %s cannot be used is refused with its name",
  (name) => {
    mkdirSync(join(folder, name));
    expect(() => holdDataDir(folder)).toThrow(
      expect.objectContaining({ code: "LEDGER_UNWRITABLE", message: expect.stringContaining(folder) }),
    );
  },
);

it("a data directory has a name that no other machine has, whatever that is called", () => {
  const held = holdDataDir(folder);
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  expect(held.place).toContain(bootId);
  const { place } = held;
  held[Symbol.dispose]();
  using again = holdDataDir(folder);
  expect(again.place).toBe(place);
});

it("a data directory is made for its owner alone, and one that others may look into is told of", () => {
  using made = holdDataDir(join(folder, "made"));
  expect(made.open).toBe(false);
  chmodSync(folder, 0o710);
  using given = holdDataDir(folder);
  expect(given.open).toBe(true);
});

import { expect, it } from "vitest";
import { containerAdvice, isHeld } from "../../src/config/container-advice.ts";
import { ConfigFault, Fault } from "../../src/domain/fault.ts";

const INSIDE = { MICROENGINE_IMAGE: "1", CONFIG_FAULTS: "hold" };
const fault = (code: string, cause?: unknown) => new ConfigFault(code, "It is wrong.", { cause });

it.each([
  ["KEYFILE_UNREADABLE", /WALLET_DIR in the file \.env .*chown -R 1000.*--profile sandbox/],
  ["PASSWORD_FILE", /WALLET_DIR/],
  ["LEDGER_UNWRITABLE", /DATA_DIR in the file \.env .*chown -R 1000/],
  ["BACKEND_MODULE_MISSING", /PLUGINS_DIR/],
  ["SETTING_INVALID", /file \.env/],
  ["POLYSWARMD_UNREACHABLE", /POLYSWARMD_ADDR .*localhost is the container itself.*--profile sandbox/],
  ["REDIS_UNREACHABLE", /docker compose up -d redis/],
])("%s is told in Docker's words within a container, and in no other place", (code, words) => {
  expect(containerAdvice(fault(code), INSIDE)).toMatch(words);
  expect(containerAdvice(fault(code), {})).toBeUndefined();
});

it("what only an operator can correct is held, and what may pass is tried again", () => {
  const held = (code: string, cause?: unknown) => isHeld(fault(code, cause), "producer", INSIDE);
  expect(held("KEYFILE_UNREADABLE")).toBe(true);
  expect(held("LEDGER_UNWRITABLE", Object.assign(new Error(), { code: "EACCES" }))).toBe(true);
  expect(held("LEDGER_UNWRITABLE", Object.assign(new Error(), { code: "ENOSPC" }))).toBe(false);
  for (const code of ["POLYSWARMD_UNREACHABLE", "REDIS_UNREACHABLE", "WALLET_HELD", "SOMETHING_NEW"])
    expect(held(code)).toBe(false);
});

it("nothing is held that a person waits for, or that no compose file asked to hold", () => {
  const missing = fault("KEYFILE_UNREADABLE");
  expect(isHeld(missing, "recover", INSIDE)).toBe(false);
  expect(isHeld(missing, "producer", { MICROENGINE_IMAGE: "1" })).toBe(false);
  expect(isHeld(new Fault("KEYFILE_UNREADABLE", "x"), "producer", INSIDE)).toBe(false);
});

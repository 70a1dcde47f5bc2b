import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { logDependencies } from "../../src/observe/dependency-output.ts";
import { listening } from "../fixtures/queue/listening.ts";

/** A console of the test's own: what is not replaced throws. */
const silentConsole = () => {
  const never = (..._said: unknown[]): never => {
    throw new Error("written past the log");
  };
  return { log: never, info: never, debug: never, warn: never, error: never, trace: never };
};

it("has what dependencies write to the console in the log, once as a warning", () => {
  const { log, entries } = listening();
  const spoken = silentConsole();
  logDependencies(log, spoken, new EventEmitter());
  spoken.warn("Skipping the %s check", "ready");
  spoken.error(new Error("lost"));
  spoken.log({ a: 1 });
  spoken.warn("Skipping the %s check", "ready");
  expect(entries).toMatchObject([
    { msg: "console.output", level: 40, text: "Skipping the ready check" },
    { msg: "console.output", level: 40, text: expect.stringContaining("lost") },
    { msg: "console.output", level: 20, text: "{ a: 1 }" },
    { msg: "console.output", level: 20, text: "Skipping the ready check" },
  ]);
});

it("cuts what is endless", () => {
  const { log, entries } = listening();
  const spoken = silentConsole();
  logDependencies(log, spoken, new EventEmitter());
  spoken.warn("x".repeat(1_000_000));
  expect(String(entries[0]?.text).length).toBeLessThan(5_000);
});

it("has Node's warnings in the log, and nowhere else", () => {
  const { log, entries } = listening();
  const source = new EventEmitter();
  let printed = 0;
  source.on("warning", () => printed++);
  logDependencies(log, silentConsole(), source);
  const warning = Object.assign(new Error("The old way"), { name: "DeprecationWarning" });
  source.emit("warning", warning);
  expect(entries).toMatchObject([
    { msg: "process.warning", level: 40, warning: "DeprecationWarning", text: "The old way" },
  ]);
  expect(printed).toBe(0);
});

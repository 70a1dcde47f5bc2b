import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { stopSignal } from "../../src/observe/stop-signal.ts";

/** A process that can be signalled and remembers with which code it went. */
function target() {
  const signals = new EventEmitter();
  const exits: number[] = [];
  let now = 1_000;
  const signal = stopSignal(
    { on: (name, listener) => signals.on(name, listener), exit: (code) => void exits.push(code) },
    () => now,
  );
  const send = (name: "SIGINT" | "SIGTERM", afterMs = 0) => {
    now += afterMs;
    signals.emit(name);
  };
  return { signal, exits, send };
}

it("the first signal asks to stop", () => {
  const { signal, exits, send } = target();
  expect(signal.aborted).toBe(false);
  send("SIGTERM");
  expect(signal.aborted).toBe(true);
  expect(exits).toEqual([]);
});

it("a Ctrl-C that npm passes on once more is the same request", () => {
  const { exits, send } = target();
  send("SIGINT");
  send("SIGINT", 40);
  expect(exits).toEqual([]);
});

it("a later signal insists, with the exit code that shells expect", () => {
  const { exits, send } = target();
  send("SIGTERM");
  send("SIGINT", 600);
  send("SIGTERM", 600);
  expect(exits).toEqual([130, 143]);
});

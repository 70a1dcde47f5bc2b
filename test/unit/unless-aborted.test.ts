import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { unlessAborted } from "../../src/async/unless-aborted.ts";

const never = new Promise<never>(() => {});

describe("work beside a signal", () => {
  it("settles as the work does, and leaves no listener behind", async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(signal, Promise.resolve(1), () => 2)).toBe(1);
    await expect(unlessAborted(signal, Promise.reject(new Error("no")), () => 2)).rejects.toThrow("no");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("settles otherwise once the signal aborts, and leaves no listener behind", async () => {
    const stop = new AbortController();
    const settled = unlessAborted(stop.signal, never, () => "stopped");
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(1);
    stop.abort();
    expect(await settled).toBe("stopped");
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  it("settles otherwise at once where the signal has aborted, and ignores how the work ends", async () => {
    const signal = AbortSignal.abort(new Error("asked to"));
    const failing = Promise.reject(new Error("no"));
    const throwing = (): never => {
      throw signal.reason;
    };
    expect(await unlessAborted(signal, failing, () => "stopped")).toBe("stopped");
    await expect(unlessAborted(signal, never, throwing)).rejects.toThrow("asked to");
  });
});

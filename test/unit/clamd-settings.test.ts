import { describe, expect, it } from "vitest";
import { backendSettings } from "../../src/config/commands/backend-settings.ts";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { readSettings, type Sources } from "../../src/config/values/settings.ts";
import { scanner } from "../../src/scanners/clamav/clamav.ts";

const clamav = (flags: Sources["flags"], env: Sources["env"] = {}) =>
  backendSettings(readSettings(consumerSettings, { flags, env })).clamav!;

describe("the settings of clamav", () => {
  it("are those of a clamd of this machine unless something is set", () => {
    expect(clamav({})).toEqual({ host: "localhost", port: 3310, completeBytes: 104_857_600 });
  });

  it("take host and port from the variables of existing deployments", () => {
    expect(clamav({}, { CLAMD_HOST: "av", CLAMD_PORT: "3311" })).toMatchObject({ host: "av", port: 3311 });
  });

  it("prefer a socket to host and port, and the flag to both", () => {
    const env = { CLAMD_HOST: "av", CLAMD_SOCKET: "/run/clamd.sock" };
    expect(clamav({}, env)).toEqual({ address: "/run/clamd.sock", completeBytes: 104_857_600 });
    expect(clamav({ clamd: "other:1" }, env)).toMatchObject({ address: "other:1" });
  });

  it("are refused by the scanner when they name no clamd", () => {
    expect(() => scanner(clamav({ clamd: "tcp://av:3310" }))).toThrow(
      expect.objectContaining({ name: "ConfigFault", code: "CLAMD_ADDRESS_INVALID" }),
    );
    expect(() => scanner({ ...clamav({}), completeBytes: 0 })).toThrow(
      expect.objectContaining({ name: "ConfigFault", code: "CLAMD_SETTINGS_INVALID" }),
    );
  });
});

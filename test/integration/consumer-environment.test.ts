import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timerUntil } from "../../src/async/long-timer.ts";
import { artifactUrl, gatewayBase } from "../../src/consumer/artifact-address.ts";
import { dropWalletSecrets, scannerEnvironment } from "../../src/isolation/process/environment.ts";
import { createLogger } from "../../src/observe/log.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });

describe("a consumer's environment", () => {
  it("loses what opens the wallet and keeps the rest", () => {
    const environment = { KEYFILE: "k", PASSWORD: "p", PASSWORD_FILE: "f", API_KEY: "a", PATH: "/bin" };
    dropWalletSecrets(environment, log);
    expect(environment).toEqual({ API_KEY: "a", PATH: "/bin" });
  });

  it.each([
    "KEYFILE",
    "PASSWORD",
    "PASSWORD_FILE",
    "QUEUE_SECRET",
    "QUEUE_SECRET_FILE",
    "API_KEY",
    "api_key",
    "REDIS_ADDR",
    "VT_APIKEY",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "npm_config_password",
    "NODE_OPTIONS",
    "NODE_CHANNEL_FD",
  ])("does not pass %s on to a scanner", (name) => {
    expect(scannerEnvironment({ [name]: "x" })).toEqual({});
  });

  it.each(["PATH", "HOME", "RULES_DIR", "CLAMD_HOST", "KEYBOARD", "SCANNER_API_KEY"])(
    "passes %s on to a scanner",
    (name) => {
      expect(scannerEnvironment({ [name]: "x", ABSENT: undefined })).toEqual({ [name]: "x" });
    },
  );
});

describe("the address of an artifact", () => {
  const base = (polyswarmdAddr: string) => gatewayBase({ polyswarmdAddr, allowKeyOverHttp: false });

  it.each([
    ["https://gw.example/v1/default", "https://gw.example/v1/default"],
    ["https://gw.example/v1/default///", "https://gw.example/v1/default"],
    ["gw.example", "https://gw.example"],
    ["http://127.0.0.1:31337/", "http://127.0.0.1:31337"],
  ])("begins with %s as %s", (given, taken) => {
    expect(base(given)).toBe(taken);
  });

  it.each(["", "ftp://gw.example", "https://gw.example/?chain=side", "https://", "a b"])(
    "is refused for %j",
    (given) => {
      expect(() => base(given)).toThrow(expect.objectContaining({ code: "POLYSWARMD_ADDRESS_INVALID" }));
    },
  );

  it("may send a key over https, and over http only with leave", () => {
    const access = { polyswarmdAddr: "http://gw", apiKey: "k", allowKeyOverHttp: false };
    expect(() => gatewayBase(access)).toThrow(expect.objectContaining({ code: "API_KEY_OVER_HTTP" }));
    expect(gatewayBase({ ...access, allowKeyOverHttp: true })).toBe("http://gw");
    expect(gatewayBase({ ...access, polyswarmdAddr: "https://gw" })).toBe("https://gw");
  });

  it("takes CIDs and SHA-256, and nothing else", () => {
    expect(artifactUrl("b", "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6", 255)).toMatch(
      /^b\/artifacts\/Qm.*\/255$/,
    );
    expect(artifactUrl("b", "0f".repeat(32), 0)).toBeDefined();
    for (const uri of ["", "Qm0", "0x".padEnd(64, "0"), "a".repeat(100), "Qm/..", "Qm\n"]) {
      expect(artifactUrl("b", uri, 0)).toBeUndefined();
    }
    for (const index of [-1, 256, 0.5, Number.NaN]) expect(artifactUrl("b", "Qm", index)).toBeUndefined();
  });

  it("is below the artifacts of the gateway, whatever a job names", () => {
    const anything = fc.oneof(fc.string(), fc.webPath(), fc.stringMatching(/^[\w./%?#\\-]*$/));
    fc.assert(
      fc.property(anything, fc.integer(), (uri, index) => {
        const url = artifactUrl("https://gw.example/v1", uri, index);
        if (url !== undefined) expect(new URL(url).pathname.split("/").length).toBe(5);
      }),
    );
  });
});

describe("a timer until an instant", () => {
  it.each([
    [1500, 1000, 500],
    [1000, 1500, 0],
    [Number.MAX_SAFE_INTEGER, 0, 2 ** 31 - 1],
  ])("until %d from %d runs %d ms", (until, now, ms) => {
    expect(timerUntil(until, now)).toBe(ms);
  });
});

import { describe, expect, it } from "vitest";
import { gatewayBase } from "../../src/consumer/artifact-address.ts";
import { namesNoScheme, parseGatewayAddress, refuseKeyOverHttp } from "../../src/domain/gateway-address.ts";
import { eventsUrl } from "../../src/market/onchain/stream/event-stream.ts";

describe("the gateway address", () => {
  it.each([
    ["https://api.example/v1/default", "https://api.example/v1/default"],
    ["https://api.example/v1/default///", "https://api.example/v1/default"],
    ["api.example/v1/default", "https://api.example/v1/default"],
    ["localhost:31337", "https://localhost:31337"],
    [" http://127.0.0.1:31337/ ", "http://127.0.0.1:31337"],
    ["HTTP://Gateway.Example/Path", "http://gateway.example/Path"],
    ["http://[::1]:31337", "http://[::1]:31337"],
    ["https://poly_swarm.internal.", "https://poly_swarm.internal."],
    ["https://börse.example", "https://xn--brse-5qa.example"],
    ["https:8080/v1", "https://https:8080/v1"],
    ["https.example", "https://https.example"],
  ])("reads %j as %s", (given, base) => {
    expect(parseGatewayAddress(given)).toBe(base);
  });

  it.each([
    "",
    "http://",
    "ftp://host",
    "http://host:99999",
    "https://user:secret@host/",
    "https://host/?chain=home",
    "https://host/#x",
    "ht tp://x",
    "ht!tp://x",
    "https//host",
    "http//host:31337/v1",
    "http:/host",
    "https:host",
    "https:\\\\host",
    "htp://host",
    "://host",
    "//host",
    "host!",
    "http://-",
    "http://a b",
  ])("refuses %j", (given) => {
    expect(() => parseGatewayAddress(given)).toThrow(
      expect.objectContaining({ name: "ConfigFault", code: "POLYSWARMD_ADDRESS_INVALID" }),
    );
  });

  it.each([
    "https://user:secret@host/",
    "user:secret@host",
    "https://user:secret@host:99999",
    "//a:sec/secret@b",
  ])("is not repeated with the password in it: %j", (given) => {
    expect(() => parseGatewayAddress(given)).toThrow(/^(?!.*secret)The polyswarmd address/);
  });

  it("is known not to name its scheme, which is https then", () => {
    expect(namesNoScheme(" localhost:31337")).toBe(true);
    expect(namesNoScheme("http://localhost:31337")).toBe(false);
  });

  it.each(["ftp://host", "https://user:secret@host/", "http://"])(
    "is refused in the same words to a consumer and to a producer: %j",
    (polyswarmdAddr) => {
      const wordsOf = (read: () => unknown) => {
        try {
          return read();
        } catch (error) {
          return (error as Error).message;
        }
      };
      const consumer = wordsOf(() => gatewayBase({ polyswarmdAddr, allowKeyOverHttp: false }));
      expect(consumer).toBe(wordsOf(() => parseGatewayAddress(polyswarmdAddr)));
      expect(consumer).toMatch(/^The polyswarmd address /);
    },
  );

  it("turns into the address of the event stream, with its path prefix", () => {
    expect(eventsUrl("https://h/v1/x", "side")).toBe("wss://h/v1/x/events/?chain=side");
    expect(eventsUrl("http://h:1", "home")).toBe("ws://h:1/events/?chain=home");
  });

  it("lets a key travel over https, or over http with leave", () => {
    expect(() => refuseKeyOverHttp("http://h", "key", { allowed: false })).toThrow(/plain http/);
    for (const [base, key, allowed] of [
      ["https://h", "key", false],
      ["http://h", "key", true],
      ["http://h", undefined, false],
    ] as const) {
      expect(() => refuseKeyOverHttp(base, key, { allowed })).not.toThrow();
    }
  });
});

import { describe, expect, it } from "vitest";
import { describeProxy, proxyAuthorization, proxyFor } from "../../src/http/proxy.ts";

const via = (target: string, env: Record<string, string>): string | undefined =>
  proxyFor(new URL(target), env)?.url;
const HTTP = "http://proxy:1/";
const HTTPS = "http://proxy:2/";
const BOTH = { HTTP_PROXY: HTTP, HTTPS_PROXY: HTTPS };

describe("the proxy of a request", () => {
  it.each([
    ["http://gateway.test/", HTTP],
    ["ws://gateway.test/events", HTTP],
    ["https://gateway.test/", HTTPS],
    ["wss://gateway.test/events", HTTPS],
  ])("to %s is %s", (target, proxy) => {
    expect(via(target, BOTH)).toBe(proxy);
  });

  it("is none unless its own variable is set; that of the other scheme says nothing", () => {
    expect(via("https://h/", {})).toBeUndefined();
    expect(via("https://h/", { HTTPS_PROXY: " ", HTTP_PROXY: HTTP })).toBeUndefined();
    expect(via("http://h/", { HTTPS_PROXY: HTTPS })).toBeUndefined();
    expect(via("http://h/", { ALL_PROXY: HTTP })).toBe(HTTP);
    expect(via("http://h/", { ALL_PROXY: HTTPS, http_proxy: HTTP })).toBe(HTTP);
  });

  it("may be named in lower case, which wins, and without a scheme", () => {
    expect(via("https://h/", { https_proxy: "http://low:1", HTTPS_PROXY: HTTPS })).toBe("http://low:1/");
    expect(via("https://h/", { HTTPS_PROXY: "proxy.corp:3128" })).toBe("http://proxy.corp:3128/");
  });

  it.each<[list: string, direct: readonly string[], through: readonly string[]]>([
    ["*", ["http://a.test/", "http://10.0.0.1/"], []],
    ["gateway.test", ["http://gateway.test/", "http://a.gateway.test/"], ["http://mygateway.test/"]],
    [
      ".gateway.test, other.test",
      ["http://gateway.test/", "http://a.gateway.test/", "http://other.test/"],
      [],
    ],
    ["*.gateway.test", ["http://a.gateway.test/"], ["http://test/"]],
    ["Gateway.Test", ["http://GATEWAY.test/"], []],
    ["h.test:8080 k.test", ["http://h.test:8080/", "http://k.test:1/"], ["http://h.test/"]],
    ["h.test:80", ["http://h.test/"], ["http://h.test:8080/"]],
    ["127.0.0.1,::1", ["http://127.0.0.1:31337/", "http://[::1]:1/"], ["http://127.0.0.2/"]],
    ["[::1]:80", ["http://[::1]/"], ["http://[::1]:81/"]],
    [
      "10.0.0.0/8,fd00::/8",
      ["http://10.9.8.7/", "http://[fd00::1]/"],
      ["http://11.0.0.1/", "http://h.test/"],
    ],
    ["0.0.1", [], ["http://10.0.0.1/"]],
    ["10.0.0.0/99, /, x/8", [], ["http://10.0.0.1/"]],
    ["", [], ["http://gateway.test/"]],
  ])("with NO_PROXY=%j", (list, direct, through) => {
    for (const variable of ["NO_PROXY", "no_proxy"]) {
      const env = { ...BOTH, [variable]: list };
      expect(direct.filter((target) => via(target, env) !== undefined)).toEqual([]);
      expect(through.filter((target) => via(target, env) === undefined)).toEqual([]);
    }
  });

  it("is named without its password, which the proxy alone is told", () => {
    const proxy = proxyFor(new URL("https://h/"), { HTTPS_PROXY: "http://me:s%40cret@proxy:3128" })!;
    expect(describeProxy(proxy)).toBe("http://proxy:3128");
    const { "proxy-authorization": sent = "" } = proxyAuthorization(proxy);
    expect(Buffer.from(sent.replace("Basic ", ""), "base64").toString()).toBe("me:s@cret");
  });

  it.each(["socks5://proxy:1080", "http://", "http://me:%zz@proxy", "me:secret@pro xy"])(
    "that cannot be used ends the start of what needs it, without a word of its password: %s",
    (text) => {
      expect(() => via("https://h/", { HTTPS_PROXY: text })).toThrow(
        expect.objectContaining({ code: "PROXY_INVALID", message: expect.not.stringContaining("secret") }),
      );
      expect(via("http://h/", { HTTPS_PROXY: text })).toBeUndefined();
      expect(via("https://h/", { HTTPS_PROXY: text, NO_PROXY: "h" })).toBeUndefined();
    },
  );
});

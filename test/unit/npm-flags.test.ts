import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { demoSettings } from "../../src/config/commands/demo.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { scanSettings } from "../../src/config/commands/scan.ts";
import { type CommandLine, refuseStrayWords, retypedForNpm } from "../../src/config/npm.ts";

const line = (changes: Partial<CommandLine> = {}): CommandLine => ({
  command: "producer",
  settings: producerSettings,
  flags: {},
  words: [],
  rest: [...(changes.words ?? [])],
  ...changes,
});
/** What npm puts into the environment of a start script. */
const npm = (taken: Record<string, string>) => ({
  npm_lifecycle_event: "start",
  npm_config_fund: "",
  npm_config_yes: "",
  npm_config_loglevel: "warn",
  ...taken,
});

describe("flags that npm took", () => {
  it("come back with their value when npm left it as a word", () => {
    const env = npm({ npm_config_bid_strategy: "true" });
    expect(retypedForNpm(line({ words: ["aggressive"] }), env)).toBe(
      "npm start producer -- --bid-strategy aggressive",
    );
  });

  it("come back with their value when npm took that too", () => {
    const env = npm({ npm_config_bid_strategy: "aggressive", npm_config_http_port: "0" });
    expect(retypedForNpm(line(), env)).toBe("npm start producer -- --bid-strategy aggressive --http-port 0");
  });

  it("leave the words alone of a command that is told files or names", () => {
    const words = ["./samples", "more"];
    const scan = line({ command: "scan", settings: scanSettings, words, takesWords: true });
    expect(retypedForNpm(scan, npm({ npm_config_json: "true" }))).toBe(
      "npm start scan -- --json ./samples more",
    );
    expect(
      retypedForNpm(
        { ...scan, words: ["mine", ...words], rest: ["mine", ...words] },
        npm({ npm_config_backend: "true" }),
      ),
    ).toBe("npm start scan -- --backend NAME mine ./samples more");
    expect(() => refuseStrayWords(scan, npm({}))).not.toThrow();
  });

  it("come back as switches, even when npm has a setting of that name itself", () => {
    const demo = line({ command: "demo", settings: demoSettings });
    expect(retypedForNpm(demo, npm({ npm_config_json: "true" }))).toBe("npm start demo -- --json");
  });

  it("come back once for each time they were given", () => {
    const env = npm({ npm_config_backend: "true\n\n./my scanner.ts" });
    expect(retypedForNpm(line({ words: ["eicar"] }), env)).toBe(
      "npm start producer -- --backend eicar --backend './my scanner.ts'",
    );
  });

  it("are put in front of those that did arrive", () => {
    const env = npm({ npm_config_wait: "true" });
    const arrived = line({ words: ["5"], rest: ["5", "--queue", "mine"], flags: { queue: "mine" } });
    expect(retypedForNpm(arrived, env)).toBe("npm start producer -- --wait 5 --queue mine");
  });

  it("are named with a blank to fill in when it is anybody's guess which word was whose", () => {
    const env = npm({ npm_config_wait: "true", npm_config_queue: "true" });
    expect(retypedForNpm(line({ words: ["5", "mine"] }), env)).toBe(
      "npm start producer -- --queue NAME --wait SECONDS",
    );
  });

  it("do not show a password or key", () => {
    const env = npm({ npm_config_password: "hunter2", npm_config_api_key: "true" });
    const said = retypedForNpm(line({ words: ["abc"] }), env);
    expect(said).toBe("npm start producer -- --api-key KEY --password PASSWORD");
  });

  it("are no matter when the flag arrived as well", () => {
    const demo = line({ command: "demo", settings: demoSettings, flags: { json: true } });
    expect(retypedForNpm(demo, npm({ npm_config_json: "true" }))).toBeUndefined();
  });

  it("are not looked for among what npm sets for itself", () => {
    expect(retypedForNpm(line({ command: "sandbox", settings: sandboxSettings }), npm({}))).toBeUndefined();
    const noisy = npm({ npm_config_fund: "true" });
    expect(retypedForNpm(line({ command: "sandbox", settings: sandboxSettings }), noisy)).toBeUndefined();
  });

  it("are not looked for in a process that npm start did not start", () => {
    const env = { npm_lifecycle_event: "test", npm_config_json: "true" };
    expect(retypedForNpm(line({ settings: demoSettings }), env)).toBeUndefined();
  });
});

it("a consumer that a producer forked is not asked about its producer's flags", () => {
  const consumer = line({ command: "consumer", settings: consumerSettings, flags: { embedded: true } });
  expect(retypedForNpm(consumer, npm({ npm_config_queue: "theirs" }))).toBeUndefined();
});

describe("words that belong to no option", () => {
  it("are refused with a hint that fits how the program was started", () => {
    const stray = line({ words: ["aggressive"] });
    expect(() => refuseStrayWords(stray, {})).toThrow('"aggressive" belongs to no option of producer.');
    expect(() => refuseStrayWords(stray, npm({}))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("behind a") }),
    );
  });

  it("are fine when there are none", () => {
    expect(() => refuseStrayWords(line(), npm({}))).not.toThrow();
  });
});

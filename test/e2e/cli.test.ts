import { describe, expect, it } from "vitest";
import { microengine, run } from "./run-process.ts";

/** The one line, without its prefix; fails when there are more, or a stack trace. */
function oneLine(stderr: string): string {
  expect(stderr).toMatch(/^microengine: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat .*\.(ts|js):\d+/);
  return stderr.slice("microengine: ".length, -1);
}

describe("microengine", () => {
  it("lists its commands", async () => {
    const { code, stdout } = await microengine(["--help"]);
    expect(code).toBe(0);
    for (const command of ["demo", "producer", "consumer", "recover", "sandbox", "calibrate", "scan", "init"])
      expect(stdout).toMatch(new RegExp(`^ +${command} `, "m"));
  });

  it("gives the help of a command by either way, and its own without one", async () => {
    const [long, short, own] = await Promise.all(
      [["scan", "--help"], ["help", "scan"], ["help"]].map((args) => microengine(args)),
    );
    expect(short).toEqual(long);
    expect(own).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: microengine COMMAND") });
  });

  it.each(["22.21.0", "20.1.0"])("says in one line that Node %s is too old", async (version) => {
    const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });
      Object.defineProperty(process, "version", { value: "v${version}" });`;
    const old = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`];
    const check = ["--import", "./scripts/needs-node.mjs"];
    for (const preloaded of [[], check]) {
      const { code, stderr } = await run(process.execPath, [
        ...old,
        ...preloaded,
        "src/main.ts",
        "--version",
      ]);
      expect(oneLine(stderr)).toMatch(new RegExp(`^It needs Node 24, this is v${version} \\(`));
      expect(code).toBe(2);
    }
  });

  it("says its version", async () => {
    expect(await microengine(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it("names variable and default of every option in the help", async () => {
    const { code, stdout } = await microengine(["producer", "--help"]);
    const help = stdout.replaceAll(/\s+/g, " ");
    expect(code).toBe(0);
    expect(help).toContain("--bid-strategy <NAME>");
    expect(help).toContain("variable BID_STRATEGY; default: default");
    expect(help).toContain("variable BACKEND, comma separated; default: eicar");
    expect(help).toContain("variable LOG_FORMAT; default: text on a terminal, else json");
  });

  it("does not offer people what only a producer says to its consumers", async () => {
    const { stdout } = await microengine(["consumer", "--help"]);
    expect(stdout).not.toContain("--embedded");
  });

  it.each([
    [[], /^Which command\? The commands are demo, producer, consumer, recover, sandbox/],
    [["prodcer"], /unknown command 'prodcer' \(Did you mean producer\?\)/],
    [["help", "prodcer"], /unknown command 'prodcer' \(Did you mean producer\?\)/],
    [["worker", "--backend", "x"], /unknown command 'worker'\. It is consumer here/],
    [["liveness"], /unknown command 'liveness'\. .*\/healthz/],
    [["completion"], /^Which shell\? Type: microengine completion bash\|zsh\|fish$/],
    [["completion", "tcsh"], /There is no completion for "tcsh"/],
    [
      ["scan", "--backend", "multi", "."],
      /There is no backend "multi" here\. .*--backend clamav --backend yara/,
    ],
    [["--fast"], /unknown option '--fast'/],
    [["producer", "--accept", "mimetype:text/plain"], /unknown option '--accept'\. Write --filter accept/],
    [["producer", "--bid-strateg", "x"], /unknown option '--bid-strateg' \(Did you mean --bid-strategy\?\)/],
    [
      ["producer", "--scan-limit", "3"],
      /unknown option '--scan-limit'\. It is an option of consumer, scan\.$/,
    ],
    [["consumer", "--keyfile", "k"], /unknown option '--keyfile'\. It is an option of producer, recover\.$/],
    [["producer", "--pasword=hunter2"], /^unknown option '--pasword'$/],
    [["consumer", "--queue"], /'--queue <NAME>' argument missing/],
    [["consumer", "aggressive"], /"aggressive" belongs to no option of consumer/],
    [
      ["demo", "--bounties", "many"],
      /"many" is not right for --bounties \(variable DEMO_BOUNTIES\): it must be a whole number/,
    ],
    [["sandbox", "--fund", "0x12"], /--fund \(variable SANDBOX_FUND\): it must be an address/],
  ])("answers %j with one line and exit code 2", async (args, sentence) => {
    const { code, stdout, stderr } = await microengine(args);
    expect(oneLine(stderr)).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("scans with a backend that needs none of the variables that an orchestrator injected", async () => {
    const env = { CLAMD_PORT: "tcp://10.96.3.4:3310", HTTP_PORT: "tcp://10.96.3.5:80", LOG_FORMAT: "json" };
    const { code, stdout, stderr } = await microengine(["scan", "--backend", "eicar", "package.json"], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("package.json") });
    expect(stderr.trim().split("\n")).toEqual([expect.stringMatching(/CLAMD_PORT.*setting\.ignored/)]);
  });

  it.each(["https//host", "ht!tp://x", "http:/host"])(
    "says at once that %s is no address, to a producer as to a consumer",
    async (address) => {
      // Nothing listens at that Redis, which would be waited for.
      const args = ["--polyswarmd-addr", address, "--redis-addr", "127.0.0.1:1", "--wait", "600"];
      for (const command of ["producer", "consumer", "recover"]) {
        const { code, stderr } = await microengine([command, ...args], { LOG_LEVEL: "error" });
        expect(oneLine(stderr)).toMatch(/^The polyswarmd address ".*" is not a web address\./);
        expect(code).toBe(2);
      }
    },
  );

  it("answers a wrong variable as it answers a wrong flag", async () => {
    const { code, stderr } = await microengine(["consumer"], { SCAN_LIMIT: "none" });
    expect(oneLine(stderr)).toContain('"none" is not right for --scan-limit (variable SCAN_LIMIT)');
    expect(code).toBe(2);
  });
});

describe("npm start", () => {
  const npmStart = async (...args: string[]) => {
    const ended = await run("npm", ["--silent", "start", ...args]);
    return {
      ...ended,
      told: ended.stderr.split("\n").find((line) => line.startsWith("microengine: ")) ?? "",
    };
  };

  it("says what to type when npm took a flag and left its value", async () => {
    const { code, told } = await npmStart("producer", "--bid-strategy", "aggressive");
    expect(told).toMatch(/Type: npm start producer -- --bid-strategy aggressive$/);
    expect(code).toBe(2);
  });

  it("says what to type when npm took a flag with its value, and one it knows itself", async () => {
    const { code, told } = await npmStart("demo", "--bounties=8", "--json");
    expect(told).toMatch(/Type: npm start demo -- --bounties 8 --json$/);
    expect(code).toBe(2);
  });

  it("hands on what stands behind the --", async () => {
    const { code, told } = await npmStart("consumer", "--", "--http-port", "65536");
    expect(told).toContain("it must be a whole number from 0 to 65535");
    expect(code).toBe(2);
  });
});

import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { demoSettings } from "../../src/config/commands/demo.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { recoverSettings } from "../../src/config/commands/recover.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { scanSettings } from "../../src/config/commands/scan.ts";
import { readSettings, type SettingsTable, type Sources } from "../../src/config/values/settings.ts";

const TABLES: Readonly<Record<string, SettingsTable>> = {
  producer: producerSettings,
  consumer: consumerSettings,
  recover: recoverSettings,
  scan: scanSettings,
  sandbox: sandboxSettings,
  demo: demoSettings,
};

/** What a table makes of an environment, and which variables it says that it does not use. */
function read(table: SettingsTable, env: Sources["env"], flags: Sources["flags"] = {}) {
  const ignored: string[] = [];
  const machine = { cpus: 2, terminal: false };
  const onIgnored = (variable: string): number => ignored.push(variable);
  return { config: readSettings(table, { flags, env, machine, onIgnored }), ignored };
}

/** What Kubernetes puts into each container for a Service of this name. */
function serviceLinks(service: string): Record<string, string> {
  const name = service.toUpperCase().replaceAll("-", "_");
  return {
    [`${name}_SERVICE_HOST`]: "10.96.3.4",
    [`${name}_SERVICE_PORT`]: "3310",
    [`${name}_SERVICE_PORT_MAIN`]: "3310",
    [`${name}_PORT`]: "tcp://10.96.3.4:3310",
    [`${name}_PORT_3310_TCP`]: "tcp://10.96.3.4:3310",
    [`${name}_PORT_3310_TCP_PROTO`]: "tcp",
    [`${name}_PORT_3310_TCP_PORT`]: "3310",
    [`${name}_PORT_3310_TCP_ADDR`]: "10.96.3.4",
  };
}

describe("variables that an orchestrator injects", () => {
  it.each(Object.entries(TABLES))("change no setting of %s, whatever a service is called", (_name, table) => {
    const variables = Object.values(table).flatMap(({ env }) => env ?? []);
    const services = new Set(
      ["clamd", "http", "redis", "sandbox", "queue", "microengine"].concat(
        variables.flatMap((name) => [name, name.replace(/_(?:SERVICE_)?(?:PORT|HOST|ADDR)$/, "")]),
      ),
    );
    const plain = read(table, {}).config;
    for (const service of services) expect(read(table, serviceLinks(service)).config, service).toEqual(plain);
  });

  it("are told of where one has the name of a setting", () => {
    expect(read(consumerSettings, serviceLinks("clamd")).ignored).toEqual(["CLAMD_PORT"]);
    expect(read(producerSettings, serviceLinks("http")).ignored).toEqual(["HTTP_PORT"]);
    expect(read(sandboxSettings, serviceLinks("sandbox")).ignored).toEqual(["SANDBOX_PORT"]);
    expect(read(producerSettings, serviceLinks("redis")).ignored).toEqual([]);
  });

  it("leave the host that was set for a used backend alone", () => {
    const env = { ...serviceLinks("clamd"), CLAMD_HOST: "clamd", BACKEND: "clamav" };
    expect(read(consumerSettings, env).config).toMatchObject({ clamdHost: "clamd", clamdPort: 3310 });
  });

  it("are no excuse for a flag, nor for another kind of address in a used variable", () => {
    const link = "tcp://10.96.3.4:3310";
    expect(() => read(consumerSettings, {}, { "http-port": link })).toThrow(/is not right for --http-port/);
    expect(() => read(consumerSettings, { HTTP_PORT: "http://10.96.3.4:1" })).toThrow(/variable HTTP_PORT/);
    expect(() => read(consumerSettings, { SCAN_LIMIT: link })).toThrow(/variable SCAN_LIMIT/);
  });
});

describe("variables of what is not in use", () => {
  const wrong = { CLAMD_PORT: "none", CLAMD_HOST: "a b", CLAMD_MAX_SIZE: "much" };

  it.each([producerSettings, consumerSettings, recoverSettings, scanSettings])("end no start", (table) => {
    const { config, ignored } = read(table, { ...wrong, BACKEND: "eicar,./mine.ts" });
    expect(config).toMatchObject({ clamdPort: 3310, clamdHost: "localhost" });
    expect(ignored.toSorted()).toEqual(Object.keys(wrong).toSorted());
  });

  it.each(Object.entries(wrong))("end it in one line once they are used: %s=%s", (variable, value) => {
    const env = { [variable]: value, BACKEND: "eicar,clamav" };
    expect(() => read(consumerSettings, env)).toThrow(
      new RegExp(`^"${value}" is not right for --[a-z-]+ \\(variable ${variable}\\)`),
    );
  });

  it("are the addresses and secrets of Redis where consumers are embedded", () => {
    const env = { REDIS_ADDR: "a b", QUEUE: "a:b", QUEUE_SECRET: "short" };
    expect(read(producerSettings, { ...env, EMBEDDED: "2" }).ignored).toEqual(Object.keys(env));
    expect(() => read(producerSettings, env)).toThrow(/REDIS_ADDR/);
  });

  it("are complained of when they are flags", () => {
    expect(() => read(consumerSettings, {}, { "clamd-port": "none" })).toThrow(/--clamd-port/);
  });

  it("are kept when they are right: what they set may be used later", () => {
    expect(read(consumerSettings, { CLAMD_PORT: "3311" })).toMatchObject({
      config: { clamdPort: 3311 },
      ignored: [],
    });
  });
});

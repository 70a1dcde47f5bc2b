import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/consumer.ts";
import { producerSettings } from "../../src/config/producer.ts";
import { sandboxSettings } from "../../src/config/sandbox.ts";
import type { SettingsTable } from "../../src/config/settings.ts";

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), "utf8");
const variablesOf = (...tables: readonly SettingsTable[]) =>
  tables.flatMap((table) => Object.values(table)).flatMap(({ env }) => env ?? []);

/** The variables that docker-compose.yml sets for a service, those it shares with others included. */
async function setFor(service: string): Promise<string[]> {
  const file = await read("docker-compose.yml");
  const [, block = ""] = new RegExp(`^  ${service}:\\n((?: {4}.*\\n|\\n)*)`, "m").exec(file) ?? [];
  const shared = [...block.matchAll(/^ {6}<<: \*([a-z]+)$/gm)].map(([, name]) => {
    const [, lines = ""] = new RegExp(`^x-${name}: &${name}\\n((?: {2}.*\\n)*)`, "m").exec(file) ?? [];
    return lines;
  });
  return [...[block, ...shared].join("").matchAll(/^ +([A-Z][A-Z_]+):/gm)].map(([, name]) => name!);
}

describe("the deployment", () => {
  it.each([
    ["producer", producerSettings],
    ["consumer", consumerSettings],
  ] as const)("sets only variables that a %s reads", async (service, table) => {
    const names = await setFor(service);
    expect(names).toContain("REDIS_ADDR");
    expect(variablesOf(table)).toEqual(expect.arrayContaining(names));
  });

  it("hands nothing of the wallet to a consumer", async () => {
    const names = await setFor("consumer");
    expect(names.filter((name) => /KEYFILE|PASSWORD/.test(name))).toEqual([]);
  });

  it("sets only variables in its image that some process reads", async () => {
    const instructions = (await read("Dockerfile")).replaceAll("\\\n", " ").split("\n");
    const names = instructions
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => [...line.matchAll(/ ([A-Z_]+)=/g)].map(([, name]) => name!));
    const known = ["NODE_ENV", ...variablesOf(producerSettings, consumerSettings, sandboxSettings)];
    expect(names.length).toBeGreaterThan(3);
    expect(known).toEqual(expect.arrayContaining(names));
  });
});

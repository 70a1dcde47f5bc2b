import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { LARGE_RULE_SET } from "../../src/scanners/yara/compile.ts";
import { RuleFolder, ruleFor } from "../fixtures/rule-folder.ts";
import type { RuleOutcome, RuleTask } from "../fixtures/rule-process.ts";

const PROGRAM = fileURLToPath(new URL("../fixtures/rule-process.ts", import.meta.url));

async function inProcess(task: RuleTask): Promise<RuleOutcome> {
  const child = fork(PROGRAM, [], { serialization: "advanced" });
  child.send(task);
  const [outcome] = await once(child, "message");
  return outcome as RuleOutcome;
}

const many = (count: number): string =>
  Array.from({ length: count }, (_, at) => ruleFor(`r${at}`, `needle ${at}.`)).join("");

describe.concurrent("the processes of the yara backend", () => {
  it.each([
    ["a small set", 20],
    ["a large set", LARGE_RULE_SET + 1],
  ])(
    "compile %s once: the others take over what the first has compiled, and find the same",
    async (_, count) => {
      using folder = new RuleFolder({
        "a.yar": many(count),
        "b.yar": 'rule named { condition: filename == "" and extension == "" }',
      });
      const task = { root: folder.path, lead: false, text: "needle 3. needle 17." };
      const first = await inProcess(task);
      expect(first).toMatchObject({ sources: 2, found: ["r3", "r17", "named"] });
      const second = await inProcess({ ...task, inherited: first.left });
      expect(second).toMatchObject({ sources: 0, engine: first.engine, found: first.found, left: undefined });
    },
  );

  it("compile again when the rules are others than those that were left, and leave the new ones", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("old", "evil") });
    const task = { root: folder.path, lead: false, text: "evil" };
    const { left } = await inProcess(task);
    folder.write("a.yar", ruleFor("newer", "evil"));
    const second = await inProcess({ ...task, inherited: left });
    expect(second).toMatchObject({ sources: 1, found: ["newer"] });
    const third = await inProcess({ ...task, inherited: second.left });
    expect(third).toMatchObject({ sources: 0, found: ["newer"] });
  });

  it("compile when what was left fits another engine, or is damaged", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("a", "evil") });
    const task = { root: folder.path, lead: false, text: "evil" };
    const left = (await inProcess(task)).left as { image: object };
    for (const image of [{ engine: "0.0.1" }, { size: 1 }, { memory: new Uint8Array([1, 2, 3]) }]) {
      const inherited = { ...left, image: { ...left.image, ...image } };
      expect(await inProcess({ ...task, inherited })).toMatchObject({ sources: 1, found: ["a"] });
    }
  });
});

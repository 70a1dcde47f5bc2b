import { once } from "node:events";
import { expect, it } from "vitest";
import { orphanSignal } from "../../src/observe/orphaned.ts";

const ours = (script: string) => ({ npm_lifecycle_script: script });

it.each([
  "exec node src/main.ts",
  "node node_modules/microengine/src/main.ts",
  "microengine",
  '"microengine" x',
])("what npm runs as %s is asked to stop when the process above it ends", async (script) => {
  let parent = 100;
  const signal = orphanSignal({ parent: () => parent, env: ours(script) }, 1);
  expect(signal.aborted).toBe(false);
  parent = 1;
  await once(signal, "abort");
});

it.each([
  {},
  ours("sh deploy.sh"),
  ours("node scripts/with-redis.ts vitest run"),
  ours("my-microengine-tool"),
])("what npm does not run itself may be left behind: %j", (env) => {
  let looked = 0;
  const parent = (): number => ++looked;
  expect(orphanSignal({ parent, env }, 1).aborted).toBe(false);
  expect(looked).toBe(0);
});

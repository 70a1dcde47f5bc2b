import { expect, it } from "vitest";
import { requireSandboxPackages } from "../../src/config/sandbox-packages.ts";

it("says which packages a sandbox lacks, and which image has them", () => {
  requireSandboxPackages();
  requireSandboxPackages(() => true);
  const without =
    (...names: string[]) =>
    () =>
      requireSandboxPackages((name) => !names.includes(name));
  expect(without("@fastify/multipart", "@scure/base")).toThrow(
    expect.objectContaining({
      code: "SANDBOX_PACKAGES",
      message: "A sandbox needs packages that are not installed: @fastify/multipart, @scure/base.",
      hint: expect.stringMatching(/--include=optional.*docker build --target sandbox/),
    }),
  );
});

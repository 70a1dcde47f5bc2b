import { registerHooks } from "node:module";

/** The contracts that plugin modules are written against, and the kit they are tested with, as they import them. */
const CONTRACTS = [
  "microengine/scanner",
  "microengine/bid",
  "microengine/distill",
  "microengine/testing",
] as const;

/**
 * Lets modules given by path import the contracts, whatever folder they are in: a scanner in a folder of its own need not
 * install this package to say `import { defineScanner } from "microengine/scanner"`. Call before loading one.
 */
export function serveContracts(): void {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const places = new Map<string, string>([
    [CONTRACTS[0], new URL(`../scanners/contract.${extension}`, import.meta.url).href],
    [CONTRACTS[1], new URL(`../bid/contract.${extension}`, import.meta.url).href],
    [CONTRACTS[2], new URL(`../distill/contract.${extension}`, import.meta.url).href],
    [CONTRACTS[3], new URL(`../testing/check-scanner.${extension}`, import.meta.url).href],
  ]);
  registerHooks({
    resolve(specifier, context, next) {
      const url = places.get(specifier);
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}

import { join } from "node:path";
import { expect, it } from "vitest";
import { createLogger } from "../../src/observe/log.ts";
import { startChain } from "../../src/sandbox/chain/chain.ts";
import { memoryStore } from "../../src/sandbox/content/store.ts";
import { startGateway } from "../../src/sandbox/gateway/server.ts";
import { openWalletDir } from "../../src/sandbox/wallet-dir.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { EngineProcess, producerFlags, SIMPLE_SCANNER, temporaryFolder } from "./engine.ts";
import { microengine } from "./run-process.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });

it("a producer stakes nothing on a chain and a registry that only the gateway speaks for, until the operator names it, once", async () => {
  using folder = temporaryFolder();
  // No chain id of the test set-ups: for all a producer knows, the money is real.
  await using chain = await startChain({
    chainId: 424_242,
    blockTimeMs: paced(300),
    revealWindow: 20,
    voteWindow: 40,
    arbiters: 1,
    rivals: 0,
    log,
  });
  await using gateway = await startGateway({ chain, store: memoryStore(), log });
  await openWalletDir(join(folder.path, "wallet"));
  const flags = [...producerFlags(gateway.url, folder.path), "--embedded", "1"];

  const { code, stderr } = await microengine([...flags, "--log-format", "text"], SIMPLE_SCANNER);
  expect(code).toBe(2);
  expect(stderr).toContain("NOTHING IS STAKED ON A MARKETPLACE THAT IS NOT KNOWN");
  const { address } = chain.contracts.registry;
  expect(stderr).toContain(`--trust-registry ${address}`);

  await using named = new EngineProcess([...flags, "--trust-registry", address], SIMPLE_SCANNER);
  await named.told("producer.ready");
  const [limits] = await named.told("producer.limits");
  expect(limits).toMatchObject({ perArtifact: "1 NCT", perBounty: "10% of the wallet" });
  expect(await named.kill("SIGTERM")).toBe(0);

  await using later = new EngineProcess(flags, SIMPLE_SCANNER);
  await later.told("producer.ready");
  expect(await later.kill("SIGTERM")).toBe(0);
});

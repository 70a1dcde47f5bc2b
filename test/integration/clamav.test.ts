import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askClamd, streamToClamd } from "../../src/scanners/clamav/client.ts";
import { type ClamdServer, prepareClamd, startClamd } from "../fixtures/clamd-server.ts";
import { ScannerWork } from "./scanner-work.ts";

const KIB = 1024;
const PLANTED = "PLANTED-BY-THE-TESTS";
const inTime = () => AbortSignal.timeout(240_000);
const finding = (expected: object) => ({ kind: "finding", finding: expected });

describe("clamav with a real clamd", () => {
  let clamd: ClamdServer;
  beforeAll(async () => {
    clamd = await startClamd(
      "StreamMaxLength 1M",
      "MaxFileSize 512K",
      "MaxScanSize 512K",
      "AlertEncrypted yes",
    );
  });
  afterAll(() => clamd[Symbol.asyncDispose]());

  const open = (settings = {}) =>
    ScannerWork.open("clamav", { address: clamd.socket, completeBytes: 512 * KIB, ...settings });

  it("finds what its signatures describe, and says with which version", async () => {
    await using clamav = await open();
    expect(await clamav.scan(`before ${PLANTED} after`)).toEqual(
      finding({
        verdict: "malicious",
        confidence: 0.85,
        family: "Win.Test.Planted",
        metadata: {
          signature: "Win.Test.Planted-1.UNOFFICIAL",
          scanner: { vendor_version: expect.stringMatching(/^ClamAV \d+\.\d+/) },
        },
      }),
    );
    expect(await clamav.scan("UNWANTED-BY-THE-TESTS")).toMatchObject(
      finding({ verdict: "suspicious", confidence: 0.4, family: "PUA.Test.Tool" }),
    );
  });

  it("is silent about what it does not know, empty files included", async () => {
    await using clamav = await open({ address: relative(process.cwd(), clamd.socket) });
    for (const content of ["nothing to see", ""]) {
      const outcome = await clamav.scan(content);
      expect(outcome).toMatchObject(finding({ verdict: "unknown" }));
      expect(outcome).not.toHaveProperty("finding.detail");
    }
  });

  it("speaks TCP as well", async () => {
    await using clamav = await ScannerWork.open("clamav", { host: "127.0.0.1", port: clamd.port });
    expect(await clamav.scan(PLANTED)).toMatchObject(finding({ verdict: "malicious" }));
  });

  it("finds something at the end of content that takes many writes", async () => {
    await using clamav = await open();
    const content = Buffer.concat([Buffer.alloc(500 * KIB, "a"), Buffer.from(PLANTED)]);
    expect(await clamav.scan(content)).toMatchObject(finding({ verdict: "malicious" }));
  });

  it("does not take an OK beyond clamd's MaxFileSize for silence", async () => {
    await using clamav = await open();
    const unseen = Buffer.concat([Buffer.alloc(600 * KIB, "a"), Buffer.from(PLANTED)]);
    expect(await clamav.scan(unseen)).toMatchObject(
      finding({ verdict: "unknown", detail: expect.stringContaining("larger than the 524288 bytes") }),
    );
  });

  it.each(["unix socket", "TCP"])(
    "says when clamd hangs up on a stream that is too long, over %s",
    async (way) => {
      const address = way === "TCP" ? `127.0.0.1:${clamd.port}` : clamd.socket;
      await using clamav = await open({ address });
      for (let round = 0; round < 5; round++) {
        expect(await clamav.scan(Buffer.alloc(8 * KIB * KIB))).toMatchObject(
          finding({ verdict: "unknown", detail: expect.stringContaining("StreamMaxLength") }),
        );
      }
      expect(await clamav.scan(PLANTED)).toMatchObject(finding({ verdict: "malicious" }));
    },
  );

  it("says when clamd could not look into an encrypted archive", async () => {
    await using clamav = await open();
    expect(await clamav.scan(encryptedZip())).toMatchObject(
      finding({ verdict: "unknown", detail: expect.stringContaining("Heuristics.Encrypted.Zip") }),
    );
  });

  it("says when a limit kept clamd from looking, where clamd says so", async () => {
    await using alerting = await startClamd("MaxFileSize 64K", "AlertExceedsMax yes");
    await using clamav = await ScannerWork.open("clamav", { address: alerting.socket });
    expect(await clamav.scan(Buffer.alloc(100 * KIB, "a"))).toMatchObject(
      finding({ verdict: "unknown", detail: expect.stringContaining("Heuristics.Limits.Exceeded") }),
    );
  });
});

describe("clamav without its clamd", () => {
  it("starts anyway, says why it knows nothing, and scans when clamd is there", async () => {
    await using clamd = await prepareClamd();
    await using clamav = await ScannerWork.open("clamav", { address: clamd.socket });
    expect(await clamav.scan(PLANTED)).toEqual({
      kind: "thrown",
      detail: expect.stringMatching(/^clamd at .*clamd\.sock cannot be used: connect ENOENT/),
    });
    await clamd.start();
    expect(await clamav.scan(PLANTED)).toMatchObject(finding({ verdict: "malicious" }));
    await clamd.kill();
    expect(await clamav.scan(PLANTED)).toMatchObject({ kind: "thrown" });
    await clamd.start();
    expect(await clamav.scan(PLANTED)).toMatchObject(finding({ verdict: "malicious" }));
  });

  it("says that it is in trouble, and when it is not any more", async () => {
    await using clamd = await prepareClamd();
    await using clamav = await ScannerWork.open("clamav", { address: clamd.socket });
    await expect.poll(() => clamav.worker.trouble).toContain("cannot be used");
    await clamd.start();
    await expect.poll(() => clamav.worker.trouble).toBeUndefined();
  });

  it("names a host that is not to be found", async () => {
    await using clamav = await ScannerWork.open("clamav", { host: "no-such-host.invalid" });
    expect(await clamav.scan("x")).toMatchObject({
      kind: "thrown",
      detail: expect.stringContaining("no-such-host.invalid:3310"),
    });
  });
});

describe("clamav with something that is no clamd", () => {
  /** Says each of these to one connection after another, whatever it is asked. */
  async function liar(answer: (socket: Socket) => void) {
    const folder = await mkdtemp(join(tmpdir(), "microengine-liar-"));
    const path = join(folder, "socket");
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    }).listen(path);
    await once(server, "listening");
    return {
      address: { path },
      async [Symbol.asyncDispose]() {
        server.close();
        await rm(folder, { recursive: true });
      },
    };
  }

  it.each<[how: string, answer: (socket: Socket) => void, words: string]>([
    ["hangs up", (socket) => socket.destroy(), "ended before it began"],
    ["stops in the middle", (socket) => socket.end("stream: O"), "ended in the middle"],
    ["never comes to an end", (socket) => socket.write("a".repeat(20_000)), "goes on without end"],
  ])("makes an error of a reply that %s", async (_, answer, words) => {
    await using service = await liar(answer);
    await expect(streamToClamd(service.address, Buffer.alloc(10), inTime())).rejects.toMatchObject({
      code: "CLAMD_REPLY",
      message: expect.stringContaining(words),
    });
  });

  it("puts a reply together that comes byte by byte", async () => {
    await using service = await liar(async (socket) => {
      socket.setNoDelay(true);
      for (const byte of Buffer.from("stream: OK\0"))
        await new Promise((written) => socket.write(Buffer.of(byte), written));
    });
    expect(await streamToClamd(service.address, Buffer.alloc(10), inTime())).toBe("stream: OK");
  });

  it("waits for a silent one until the deadline and no longer", async () => {
    await using service = await liar(() => {});
    const deadline = new AbortController();
    const asked = askClamd(service.address, "VERSION", deadline.signal);
    deadline.abort();
    await expect(asked).rejects.toMatchObject({ code: "CLAMD_OVERDUE" });
    await expect(askClamd(service.address, "VERSION", deadline.signal)).rejects.toMatchObject({
      code: "CLAMD_OVERDUE",
    });
  });

  it("answers for a silent one with a timeout, in a worker that lives on", async () => {
    await using service = await liar(() => {});
    await using clamav = await ScannerWork.open(
      "clamav",
      { address: service.address.path },
      { graceMs: 5_000 },
    );
    expect(await clamav.scan("x", { inMs: 200 })).toEqual({ kind: "timeout" });
    expect(clamav.worker.idle).toBe(true);
  });

  it("does not take the greeting of another service for a clamd", async () => {
    await using service = await liar((socket) => socket.end("-ERR unknown command\0"));
    await using clamav = await ScannerWork.open("clamav", { address: service.address.path });
    expect(await clamav.scan("x")).toEqual({
      kind: "thrown",
      detail: 'What answers is no clamd: "-ERR unknown command".',
    });
  });
});

/** One stored entry with the encryption bit set; nobody needs its password to see that there is one. */
function encryptedZip(): Buffer {
  const name = Buffer.from("secret.txt");
  const content = Buffer.alloc(40, 7);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(1, 2); // encrypted
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length - 12, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, content]);
  const central = Buffer.concat([
    Buffer.from("PK\x01\x02\x14\x00", "latin1"),
    common,
    Buffer.alloc(14),
    name,
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

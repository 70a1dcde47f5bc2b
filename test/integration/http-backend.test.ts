import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { freePort } from "../fixtures/queue/redis-server.ts";
import { ScannerWork } from "./scanner-work.ts";

const folder = mkdtempSync(join(tmpdir(), "microengine-http-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}
type Answer = (response: ServerResponse, asked: Asked, time: number) => void;

const json =
  (value: unknown): Answer =>
  (response) =>
    void response.end(JSON.stringify(value));
const status =
  (code: number, headers = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end("not now");
const MALICIOUS = { verdict: "malicious", confidence: 0.9, family: "Bad" };

/** A service that gives one answer after another; the last one again and again. */
class Service implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Server;

  private constructor(server: Server, answers: readonly Answer[]) {
    this.#server = server;
    server.on("request", async (request: IncomingMessage, response: ServerResponse) => {
      const { method, url, headers } = request;
      const asked = { method, url, headers, body: await buffer(request) };
      const time = this.asked.push(asked) - 1;
      (answers[time] ?? answers.at(-1)!)(response, asked, time);
    });
  }

  static async start(
    answers: readonly Answer[],
    { server = createServer(), port = 0 } = {},
  ): Promise<Service> {
    const service = new Service(server, answers);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

let files = 0;
function open(url: string, wishes: object = {}, limits = {}): Promise<ScannerWork> {
  const file = join(folder, `service-${++files}.json`);
  writeFileSync(file, JSON.stringify({ type: "http", name: "service", version: "1.0.0", url, ...wishes }));
  return ScannerWork.open(file, {}, limits);
}
const openAt = (service: Service, wishes: object = {}, limits = {}) =>
  open(`http://127.0.0.1:${service.port}/scan`, wishes, limits);

const finding = (expected: object) => ({ kind: "finding", finding: expected });
const thrown = (words: string) => ({ kind: "thrown", detail: expect.stringContaining(words) });

afterAll(() => vi.unstubAllEnvs());

describe.concurrent("a service as a backend", () => {
  it("gets the content and what is known of it, with the headers of the description", async () => {
    vi.stubEnv("SCANNER_TOKEN", "let me in");
    await using service = await Service.start([json(MALICIOUS)]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as descriptions name variables
    const headers = { Authorization: "Bearer ${SCANNER_TOKEN}", "Content-Type": "application/x-sample" };
    await using backend = await openAt(service, { headers });
    const content = Buffer.from([0, 255, 13, 10, 128]);
    expect(await backend.scan(content, { types: ["application/zip", "text/plain"] })).toEqual(
      finding(MALICIOUS),
    );
    expect(await backend.scan("")).toEqual(finding(MALICIOUS));
    expect(service.asked.map(({ body }) => body)).toEqual([content, Buffer.alloc(0)]);
    expect(service.asked[0]!.headers).toMatchObject({
      authorization: "Bearer let me in",
      "content-type": "application/x-sample",
      "x-artifact-kind": "file",
      "x-artifact-sha256": expect.stringMatching(/^[0-9a-f]{64}$/),
      "x-artifact-types": "application/zip,text/plain",
      "x-artifact-deadline": expect.stringMatching(/^\d{13}$/),
    });
  });

  it("gets an upload as from a browser, or JSON, where its description says so, and again when it is busy", async () => {
    vi.stubEnv("SCANNER_TOKEN", "let me in");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as descriptions name variables
    const token = "${SCANNER_TOKEN}";
    await using service = await Service.start([status(503, { "retry-after": "0" }), json(MALICIOUS)]);
    await using form = await openAt(service, {
      body: { as: "multipart", field: "sample", fields: { token } },
    });
    await using document = await openAt(service, {
      method: "PUT",
      body: { as: "json", value: { token, file: "{base64}" } },
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    const content = Buffer.from([0, 255, 13, 10, 128]);
    expect(await form.scan(content)).toEqual(finding(MALICIOUS));
    expect(await document.scan(content)).toEqual(finding(MALICIOUS));
    const [busy, upload, put] = service.asked;
    expect(upload!.body).toEqual(busy!.body);
    const { "content-type": type } = upload!.headers;
    const read = await new Response(new Uint8Array(upload!.body), {
      headers: { "content-type": type! },
    }).formData();
    expect(read.get("token")).toBe("let me in");
    expect(Buffer.from(await (read.get("sample") as File).bytes())).toEqual(content);
    expect(put).toMatchObject({
      method: "PUT",
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    expect(JSON.parse(put!.body.toString())).toEqual({
      token: "let me in",
      file: content.toString("base64"),
    });
  });

  it("may be asked about a hash alone, and is sent nothing of the content", async () => {
    await using service = await Service.start([status(404), json(MALICIOUS)]);
    await using backend = await open(`http://127.0.0.1:${service.port}/files/{sha256}?v=1`, {
      method: "GET",
      statuses: { "200": "answer", "404": "unknown" },
    });
    expect(await backend.scan("hello")).toEqual(finding({ verdict: "unknown" }));
    expect(await backend.scan("hello")).toEqual(finding(MALICIOUS));
    const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    expect(service.asked.map(({ method, url, body }) => [method, url, body.length])).toEqual([
      ["GET", `/files/${sha256}?v=1`, 0],
      ["GET", `/files/${sha256}?v=1`, 0],
    ]);
  });

  it("answers by status and by JSON of its own", async () => {
    await using service = await Service.start([
      status(404),
      json({ hits: [{ name: "Emotet" }], infected: true }),
    ]);
    await using backend = await openAt(service, {
      statuses: { "200": "answer", "404": "unknown" },
      answer: {
        verdict: "/infected",
        family: "/hits/0/name",
        verdicts: { true: { verdict: "malicious", confidence: 0.7 }, false: "unknown" },
      },
    });
    expect(await backend.scan("x")).toEqual(finding({ verdict: "unknown" }));
    expect(await backend.scan("x")).toEqual(
      finding({ verdict: "malicious", confidence: 0.7, family: "Emotet" }),
    );
  });

  it.each<[what: string, answer: Answer]>([
    ["is busy", status(429)],
    ["is restarting and says for how long", status(503, { "retry-after": "0" })],
    ["hangs up", (response) => void response.destroy()],
  ])("that %s is asked again", async (_, answer) => {
    await using service = await Service.start([answer, answer, json(MALICIOUS)]);
    await using backend = await openAt(service);
    expect(await backend.scan("x")).toEqual(finding(MALICIOUS));
    expect(service.asked.map(({ body }) => body.toString())).toEqual(["x", "x", "x"]);
  });

  it("that stays busy is given up in time to say so", async () => {
    await using service = await Service.start([status(429, { "retry-after": "60" })]);
    await using backend = await openAt(service);
    expect(await backend.scan("x")).toEqual(thrown('service answered with status 429: "not now".'));
    expect(service.asked.length).toBe(1);
  });

  it.each<[what: string, answer: Answer, words: string]>([
    ["is broken", status(500), "status 500"],
    ["points elsewhere", status(302, { location: "http://127.0.0.1:1/" }), "status 302"],
    ["answers something else", (response) => void response.end("<html>"), 'is not JSON: "<html>"'],
    [
      "talks without end",
      json({ ...MALICIOUS, padding: "a".repeat(5000) }),
      "larger than this backend allows",
    ],
    ["always hangs up", (response) => void response.destroy(), "The service gave no answer"],
  ])("that %s says nothing, and why", async (_, answer, words) => {
    await using service = await Service.start([answer]);
    await using backend = await openAt(service, { maxAnswerBytes: 4000 });
    expect(await backend.scan("x")).toEqual(thrown(words));
    expect(backend.worker.idle).toBe(true);
  });

  it("that is silent is not waited for beyond the deadline, in a worker that lives on", async () => {
    const unlessAsked: Answer = (response, asked, time) =>
      asked.body.toString() === "be silent" ? undefined : json(MALICIOUS)(response, asked, time);
    await using service = await Service.start([unlessAsked]);
    await using backend = await openAt(service, {}, { graceMs: 5_000 });
    expect(await backend.scan("be silent", { inMs: 300 })).toEqual({ kind: "timeout" });
    expect(await backend.scan("x")).toEqual(finding(MALICIOUS));
  });

  // Alone, lest another service takes the port while nobody listens.
  it("that is down stops no consumer: it says so, and is asked again when it is there", {
    concurrent: false,
  }, async ({ expect }) => {
    const port = await freePort();
    await using backend = await open(`http://localhost:${port}/scan`);
    expect(await backend.scan("x")).toEqual(thrown("The service gave no answer: connect ECONNREFUSED"));
    await expect
      .poll(() => backend.worker.trouble)
      .toContain("localhost cannot be reached: connect ECONNREFUSED");
    await using _service = await Service.start([json(MALICIOUS)], { port });
    expect(await backend.scan("x")).toEqual(finding(MALICIOUS));
    await expect.poll(() => backend.worker.trouble).toBeUndefined();
  });

  it("that shows a certificate nobody vouches for is told nothing", async () => {
    const pem = readFileSync(new URL("../fixtures/self-signed.pem", import.meta.url));
    await using service = await Service.start([json(MALICIOUS)], {
      server: createTlsServer({ key: pem, cert: pem }),
    });
    await using backend = await open(`https://localhost:${service.port}/scan`);
    expect(await backend.scan("x")).toEqual(thrown("self-signed certificate"));
    expect(service.asked).toEqual([]);
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: as descriptions name variables
  it.each([
    ["header x-key", { headers: { "x-key": "${SCANNER_NOT_SET}" } }],
    ["body", { body: { as: "multipart", fields: { key: "${SCANNER_NOT_SET}" } } }],
    ["body", { body: { as: "json", value: { key: ["${SCANNER_NOT_SET}", "{text}"] } } }],
  ])("whose %s needs a variable that is not set stops the consumer", async (place, wishes) => {
    await expect(open("http://127.0.0.1:1/", wishes)).rejects.toMatchObject({
      name: "ConfigFault",
      code: "SCANNER_VARIABLE_MISSING",
      message: "The variable SCANNER_NOT_SET is not set.",
      hint: `The ${place} of this backend needs it: give it to the consumers.`,
    });
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as descriptions name variables
});

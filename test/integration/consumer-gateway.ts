import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ArtifactReference } from "../../src/domain/artifact.ts";

/** What the gateway does with the `visit`th request (from 1) for an artifact. */
export type Serve = (response: ServerResponse, visit: number, request: IncomingMessage) => void;

export interface Gateway extends AsyncDisposable {
  /** Base URL, with a path prefix as hosted gateways have. */
  readonly base: string;
  /** Every request so far, as path and API key. */
  readonly requests: readonly { readonly path: string; readonly key: string | undefined }[];
}

/** A real HTTP server that serves artifacts under `{base}/artifacts/{uri}/{index}`, by URI. */
export async function openGateway(artifacts: Readonly<Record<string, Serve>>): Promise<Gateway> {
  const requests: { path: string; key: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, key: request.headers.authorization });
    const uri = /^\/v1\/default\/artifacts\/([^/]+)\/\d+$/.exec(path)?.[1] ?? "";
    const visit = requests.filter((earlier) => earlier.path === path).length;
    const serve = artifacts[uri];
    if (serve === undefined) response.writeHead(404).end("no such artifact");
    else serve(response, visit, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/default`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const content =
  (body: string | Uint8Array): Serve =>
  (response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(body);
  };

/** The only artifact of a set. */
export const inSet = (address: string): ArtifactReference => ({ kind: "content", address, index: 0 });

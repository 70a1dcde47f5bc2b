/**
 * Makes requests of the references in jobs. A content address becomes a path of this consumer's own gateway, asked with its
 * API key. A URL is asked where it leads, with nothing that is ours: no key, no cookie, no name.
 */
import { request } from "undici";
import { type ArtifactReference, isArtifactUrl } from "../domain/artifact.ts";
import { openDispatcher } from "../http/dispatcher.ts";
import { type PublicAccess, PublicRequests } from "../http/public-requests.ts";
import { artifactUrl, type GatewayAccess, gatewayBase } from "./artifact-address.ts";
import {
  type ArtifactQuery,
  type Fetched,
  type FetchFailure,
  type FetchLimits,
  type FetchPolicy,
  fetchWithin,
} from "./artifact-attempts.ts";

export interface ArtifactRequest extends FetchLimits {
  readonly artifact: ArtifactReference;
}

export interface ArtifactSource extends AsyncDisposable {
  /** Never rejects. When the signal aborts the answer is `cancelled`, whatever made it abort. */
  fetch(request: ArtifactRequest, signal: AbortSignal): Promise<Fetched>;
}

const KEEP_ALIVE_MS = 60_000;

/**
 * Artifacts are packed themselves, and unpacking costs a consumer more than a network saves. What comes encoded all the same is
 * decoded.
 */
const PLAIN = { "accept-encoding": "identity" };

const NOT_VALID: Fetched = { kind: "download-failed", detail: "The job names no valid artifact." };

/** Throws ConfigFault when the gateway's address is not usable. */
export function openArtifactSource(
  access: GatewayAccess,
  policy: FetchPolicy,
  urls: PublicAccess = {},
): ArtifactSource {
  const base = gatewayBase(access);
  const headers = { ...PLAIN, ...(access.apiKey ? { authorization: access.apiKey } : {}) };
  const connections = {
    headersTimeout: policy.silenceMs,
    bodyTimeout: policy.silenceMs,
    // Bounties come some seconds apart; a new TLS handshake for each would be most of its time.
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const gateway = openDispatcher(access.proxy, connections);
  const others = new PublicRequests(urls, connections);

  function queryFor(artifact: ArtifactReference): ArtifactQuery | undefined {
    if (artifact.kind === "url") {
      const { url } = artifact;
      if (!isArtifactUrl(url)) return undefined;
      return { url, by: "server", ask: (signal) => others.get(url, PLAIN, signal) };
    }
    const url = artifactUrl(base, artifact.address, artifact.index);
    if (url === undefined) return undefined;
    const ask: ArtifactQuery["ask"] = (signal) => request(url, { dispatcher: gateway, headers, signal });
    return { url, by: "gateway", ask, refused: refusedByGateway };
  }

  return {
    async fetch({ artifact, ...limits }, signal) {
      const query = queryFor(artifact);
      return query === undefined ? NOT_VALID : fetchWithin(query, limits, policy, signal);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway.destroy(), others[Symbol.asyncDispose]()]);
    },
  };
}

function refusedByGateway(statusCode: number, text: string): FetchFailure | undefined {
  // Its own limit for the caller: it says neither its size nor the artifact's.
  if (statusCode === 413 || /too large/i.test(text)) {
    const detail = `The gateway does not hand it out to this API key, for which it is too large (HTTP ${statusCode}).`;
    return { kind: "too-large", detail };
  }
  if (statusCode !== 401 && statusCode !== 403) return undefined;
  return { kind: "download-failed", detail: `The gateway answers ${statusCode}; check the API key.` };
}

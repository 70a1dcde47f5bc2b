import { RecentMap } from "../async/recent-map.ts";
import { unlessAborted } from "../async/unless-aborted.ts";
import type { ArtifactContent, Fetched } from "./artifact-attempts.ts";
import type { ArtifactRequest, ArtifactSource } from "./fetch-artifact.ts";

/**
 * Several backends of one consumer look at the same artifact at almost the same time: this downloads it once for all of
 * them. Remembers at most `maxBytes` of content, the longest unused forgotten first; failures are not remembered.
 *
 * A download that is under way serves every request for the same artifact with the same limit. It runs until the
 * deadline of the first request, and goes on when that one is given up: the others still want it.
 */
export function shareArtifacts(source: ArtifactSource, maxBytes: number): ArtifactSource {
  const underWay = new Map<string, Promise<Fetched>>();
  const remembered = new RecentMap<ArtifactContent>({ most: maxBytes, weigh: ({ bytes }) => bytes.length });
  const closing = new AbortController();

  async function download(key: string, request: ArtifactRequest): Promise<Fetched> {
    const fetched = await source.fetch(request, closing.signal);
    if (fetched.kind === "content") remembered.set(key, fetched);
    return fetched;
  }

  async function fetch(request: ArtifactRequest, signal: AbortSignal): Promise<Fetched> {
    const key = keyOf(request);
    const known = remembered.get(key);
    if (known !== undefined) {
      const tooLarge = known.bytes.length > request.maxSizeBytes;
      const detail = `The artifact is larger than ${request.maxSizeBytes} bytes.`;
      return tooLarge ? { kind: "too-large", detail } : known;
    }
    const flight = `${key}/${request.maxSizeBytes}`;
    const joined = underWay.get(flight) ?? download(key, request).finally(() => underWay.delete(flight));
    underWay.set(flight, joined);
    return unlessAborted(signal, joined, () => STOPPED);
  }

  return {
    fetch,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await source[Symbol.asyncDispose]();
    },
  };
}

/**
 * What stands at a URL may be something else an hour later, so it is shared among the jobs of one dispatch only: they have their
 * deadline in common. What has a content address stays what it is.
 */
const keyOf = ({ artifact, deadline }: ArtifactRequest): string =>
  artifact.kind === "url"
    ? `url ${deadline} ${artifact.url}`
    : `content ${artifact.index} ${artifact.address}`;

const STOPPED: Fetched = { kind: "cancelled", detail: "The download was stopped." };

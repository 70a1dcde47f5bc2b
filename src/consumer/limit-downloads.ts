import type { ArtifactSource } from "./fetch-artifact.ts";
import { Gate } from "./gate.ts";

/** The same source with at most `limit` downloads at a time; the others wait for their turn, or until they must stop. */
export function limitDownloads(source: ArtifactSource, limit: number): ArtifactSource {
  const gate = new Gate(limit);
  return {
    async fetch(request, signal) {
      using place = await gate.enter(signal);
      if (place === undefined) return { kind: "cancelled", detail: "The download was stopped in its queue." };
      // Awaited here, or the place would be given back before the download has ended.
      return await source.fetch(request, signal);
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

import { stringifyJson } from "../../json/json.ts";
import { cidOf } from "./cid.ts";

export interface ArtifactLink {
  /** `000000`, `000001`, ...; empty for an object that is no directory. */
  readonly name: string;
  readonly hash: string;
}

/** Keeps what the sandbox's players publish, addressed by content: the same bytes always get the same URI. */
export interface ArtifactStore {
  /** Stores the contents in order and returns the URI of the directory (`Qm…`, 46 characters). */
  putDirectory(contents: readonly Uint8Array[]): string;
  /** Stores one JSON document as a single object. */
  putJson(value: unknown): string;
  /** The objects behind the URI in order, one nameless entry for a single object; undefined when unknown. */
  list(uri: string): readonly ArtifactLink[] | undefined;
  get(uri: string, index: number): Uint8Array | undefined;
}

/** A store that lives as long as its process. */
export function memoryStore(): ArtifactStore {
  const objects = new Map<string, Uint8Array>();
  const directories = new Map<string, readonly ArtifactLink[]>();

  const putObject = (content: Uint8Array): string => {
    const hash = cidOf(content);
    objects.set(hash, content);
    return hash;
  };
  const list = (uri: string): readonly ArtifactLink[] | undefined =>
    directories.get(uri) ?? (objects.has(uri) ? [{ name: "", hash: uri }] : undefined);

  return {
    putDirectory(contents) {
      const links = contents.map((content, index) => ({
        name: index.toString().padStart(6, "0"),
        hash: putObject(content),
      }));
      const uri = cidOf(Buffer.from(JSON.stringify(links)));
      directories.set(uri, links);
      return uri;
    },
    putJson: (value) => putObject(Buffer.from(stringifyJson(value))),
    list,
    get(uri, index) {
      const link = list(uri)?.[index];
      return link === undefined ? undefined : objects.get(link.hash);
    },
  };
}

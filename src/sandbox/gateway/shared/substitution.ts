import type { ZodType } from "zod";
import { parseJson } from "../../../json/json.ts";
import { isArtifactUri } from "../../content/cid.ts";
import type { ArtifactStore } from "../../content/store.ts";

/**
 * Replaces an on-chain metadata string by the document it stands for: a short base58 string is fetched from the store,
 * a string of 100 characters or more is read as inline JSON. The string stays when it is neither, when nothing is
 * found, or when what is found does not match `schema`.
 */
export function substituteMetadata(store: ArtifactStore, text: string, schema: ZodType): unknown {
  const source = documentOf(store, text);
  if (source === undefined) return text;
  try {
    const document = parseJson(source);
    // The document as it was stored: the schema only says whether it may stand here.
    return schema.safeParse(document).success ? document : text;
  } catch {
    return text;
  }
}

function documentOf(store: ArtifactStore, text: string): string | undefined {
  if (text.length >= 100) return text;
  if (!isArtifactUri(text)) return undefined;
  const bytes = store.get(text, 0);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

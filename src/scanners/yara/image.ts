/**
 * Compiled rules that another process can take over without compiling. The engine in WebAssembly has no form of its own for
 * that, but everything it knows is in its memory: an image is that memory right behind the compiler, compressed, and
 * where in it the rules are. It fits the very same engine only.
 *
 * Taken while nothing else lives in the memory: no scanner, and nothing of JavaScript that the engine holds on to.
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type InitOutput, Rules } from "@virustotal/yara-x";
import engine from "@virustotal/yara-x/package.json" with { type: "json" };
import { z } from "zod";

export const RulesImage = z.object({
  /** Version of the engine. */
  engine: z.string(),
  /** Compressed by zstd. */
  memory: z.custom<Uint8Array>((value) => value instanceof Uint8Array, "must be bytes"),
  /** Bytes. */
  size: z.int(),
  /** Address of the rules. */
  rules: z.int(),
  /** Entries in the engine's table of JavaScript's values. */
  entries: z.int(),
});
export type RulesImage = Readonly<z.infer<typeof RulesImage>>;

type Exports = Pick<InitOutput, "memory" | "__wbindgen_externrefs">;

/** What the engine's JavaScript has and its types do not tell. */
interface RulesInside {
  readonly __wbg_ptr?: unknown;
}
interface RulesClassInside {
  readonly __wrap?: (address: number) => Rules;
}

const PAGE = 65_536;

/** `undefined` when this engine does not lend itself to it. */
export function imageOf(
  rules: Rules,
  { memory, __wbindgen_externrefs: table }: Exports,
): RulesImage | undefined {
  const address = (rules as RulesInside).__wbg_ptr;
  if (typeof address !== "number" || (Rules as RulesClassInside).__wrap === undefined) return undefined;
  for (let at = 0; at < table.length; at++) if (isObject(table.get(at))) return undefined;
  const bytes = new Uint8Array(memory.buffer);
  return {
    engine: engine.version,
    memory: zstdCompressSync(bytes),
    size: bytes.length,
    rules: address,
    entries: table.length,
  };
}

const isObject = (value: unknown): boolean =>
  (typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "string";

/** The rules of an image, in an engine that has done nothing yet; `undefined` when it does not fit. */
export function rulesFrom(
  image: RulesImage,
  { memory, __wbindgen_externrefs: table }: Exports,
): Rules | undefined {
  const wrap = (Rules as RulesClassInside).__wrap;
  const missing = image.size - memory.buffer.byteLength;
  if (wrap === undefined || image.engine !== engine.version || missing < 0 || missing % PAGE !== 0)
    return undefined;
  const bytes = unpacked(image);
  if (bytes === undefined) return undefined;
  memory.grow(missing / PAGE);
  new Uint8Array(memory.buffer).set(bytes);
  if (image.entries > table.length) table.grow(image.entries - table.length);
  return wrap(image.rules);
}

function unpacked({ memory, size }: RulesImage): Uint8Array | undefined {
  try {
    const bytes = zstdDecompressSync(memory, { maxOutputLength: size });
    return bytes.length === size ? bytes : undefined;
  } catch {
    return undefined;
  }
}

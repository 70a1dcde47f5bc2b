/**
 * Backends that a JSON file describes instead of a module: a program (`"type": "exec"`) or a service (`"type": "http"`).
 * `--backend ./my-tool.json` names the file. Runs in a scan worker, like every scanner.
 */
import { dirname } from "node:path";
import { z } from "zod";
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { readTextFile } from "../../files/text-file.ts";
import { yamlComplaint } from "../../json/yaml-text.ts";
import type { Scanner, ScannerSettings } from "../contract.ts";
import { withoutByteOrderMark } from "../described-answer.ts";
import { ExecShape, execScanner } from "../exec/exec.ts";
import { HttpShape } from "../http/shape.ts";
import { complaintIn } from "../shape-complaint.ts";

const DescriptionShape = z.discriminatedUnion("type", [ExecShape, HttpShape], {
  error: 'must be "exec" or "http"',
});

const GUIDE = "See docs/backend-exec.md and docs/backend-http.md.";

/** `settings.file` is an absolute path. Throws ConfigFault DESCRIPTION_UNREADABLE or DESCRIPTION_INVALID. */
export async function scanner(settings: ScannerSettings): Promise<Scanner> {
  const { file } = z.object({ file: z.string() }).parse(settings);
  const description = parseDescription(await read(file), file);
  if (description.type === "exec") return execScanner(description, dirname(file));
  return (await import("../http/http.ts")).httpScanner(description);
}

/** A description is a page; more is another kind of file. */
const MAX_DESCRIPTION_BYTES = 1024 * 1024;

async function read(file: string): Promise<string> {
  try {
    return await readTextFile(file, MAX_DESCRIPTION_BYTES);
  } catch (cause) {
    throw new ConfigFault(
      "DESCRIPTION_UNREADABLE",
      `The backend ${file} cannot be read: ${describeError(cause)}.`,
      {
        hint: "A relative path is looked up from the folder the program was started in.",
        cause,
      },
    );
  }
}

/** Reads the text of a description; a fault names the file and the field. */
export function parseDescription(text: string, file: string): z.infer<typeof DescriptionShape> {
  let document: unknown;
  try {
    document = JSON.parse(withoutByteOrderMark(text));
  } catch (cause) {
    throw invalid(`${file} ${yamlComplaint(text) ?? `is not JSON: ${describeError(cause)}`}.`);
  }
  const checked = DescriptionShape.safeParse(document, { reportInput: true });
  if (checked.success) return checked.data;
  const { where, what } = complaintIn(checked.error);
  throw invalid(`${file}: ${where || "the description"} ${what}.`);
}

const invalid = (sentence: string): ConfigFault =>
  new ConfigFault("DESCRIPTION_INVALID", sentence, { hint: GUIDE });

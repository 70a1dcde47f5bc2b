/** A program as a backend: it gets the artifact as a file or on standard input, and answers by exit code and output. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { ConfigFault, Fault } from "../../domain/fault.ts";
import type { Artifact, Finding, ScanContext, Scanner } from "../contract.ts";
import { AnswerShape, excerpt, findingOfAnswer, type Outcomes, OutcomesShape } from "../described-answer.ts";
import { AcceptsShape, ScannerName, ScannerVersion } from "../scanner-shape.ts";
import { interpreterOf } from "./interpreter.ts";
import { createReaper } from "./reaper.ts";
import { type Ended, runProgram } from "./run.ts";

/** Stands for the artifact's file in the command. A command without it gets the content on standard input. */
const PATH_PLACEHOLDER = "{path}";
/** The folder of the description, for what lies beside it: the program runs elsewhere. */
const FOLDER_PLACEHOLDER = "{folder}";

export const ExecShape = z
  .strictObject({
    type: z.literal("exec"),
    name: ScannerName,
    version: ScannerVersion,
    accepts: AcceptsShape.default({}),
    /** The program, then its arguments; no shell is involved. */
    command: z.tuple([z.string().min(1)], z.string(), {
      error: ({ code }) =>
        code === "invalid_type" ? 'must be a list, like ["./scan.sh", "{path}"]' : undefined,
    }),
    exitCodes: OutcomesShape.exactOptional(),
    answer: AnswerShape.exactOptional(),
    /** Of standard output. */
    maxOutputBytes: z
      .int()
      .positive()
      .max(64 * 1024 * 1024)
      .default(1024 * 1024),
  })
  .check(({ value, issues }) => {
    const complain = (field: string, message: string): void => {
      issues.push({ code: "custom", message, path: [field], input: value });
    };
    const codes = value.exitCodes === undefined ? undefined : Object.values(value.exitCodes);
    const looksInside = codes?.some(({ verdict }) => verdict === "answer") ?? value.answer !== undefined;
    if (codes === undefined && value.answer === undefined)
      complain("exitCodes", 'say what exit codes mean, or give "answer" for output that is JSON');
    if (value.answer === undefined && looksInside)
      complain("answer", 'is missing: an exit code means "answer"');
    if (value.answer !== undefined && !looksInside)
      complain("exitCodes", 'none means "answer", so no output is read');
  });
type ExecDescription = z.infer<typeof ExecShape>;

/** Without a table, a program that ends well is asked for its words. */
const ANSWERS_WHEN_WELL: Outcomes = { "0": { verdict: "answer" } };

/** `folder` is that of the description: a program given by a relative path is beside it. */
export function execScanner(description: ExecDescription, folder: string): Scanner {
  const { name, version, accepts, command, maxOutputBytes } = description;
  const beside = (text: string): string => text.replaceAll(FOLDER_PLACEHOLDER, () => folder);
  const program = beside(command[0]);
  const args = command.slice(1).map(beside);
  const outcomes = description.exitCodes ?? ANSWERS_WHEN_WELL;
  const map = description.answer ?? AnswerShape.parse({});
  const onStdin = !args.some((arg) => arg.includes(PATH_PLACEHOLDER));
  const reaper = createReaper();
  let executable = program;

  async function scan(artifact: Artifact, { signal, deadline }: ScanContext): Promise<Finding> {
    const path = await artifact.path();
    const folderOfScan = dirname(path);
    const ended = await runProgram(
      {
        executable,
        args: args.map((arg) => arg.replaceAll(PATH_PLACEHOLDER, () => path)),
        folder: folderOfScan,
        env: { ...process.env, TMPDIR: folderOfScan, ...variablesOf(artifact, deadline) },
        ...(onStdin ? { stdin: path } : {}),
        maxOutputBytes,
        onGroup: (group) => reaper.watch(group),
      },
      signal,
    );
    const outcome = exitCodeOf(ended, name);
    const who = `${name} ended with exit code ${outcome}`;
    const text = outcomes[outcome]?.verdict === "answer" ? ended.stdout : ended.stderr || ended.stdout;
    return findingOfAnswer({ outcome, text, who }, outcomes, map);
  }

  return {
    name,
    version,
    accepts,
    setup() {
      executable = findProgram(program, folder);
      reaper.start();
    },
    scan,
    teardown: () => reaper.stop(),
  };
}

/** What a program may want to know besides the content. Nothing of it is an ambassador's word. */
const variablesOf = ({ kind, sha256, types }: Artifact, deadline: number) => ({
  ARTIFACT_KIND: kind,
  ARTIFACT_SHA256: sha256,
  ARTIFACT_TYPES: types.join(","),
  ARTIFACT_DEADLINE: String(deadline),
});

function exitCodeOf({ end, stderr }: Ended, name: string): number {
  if (typeof end === "number") return end;
  throw new Fault("PROGRAM_KILLED", `${name} was ended by ${end}: ${excerpt(stderr)}.`);
}

/**
 * The file that a command names, as a shell would find it. Throws ConfigFault PROGRAM_MISSING, PROGRAM_NOT_EXECUTABLE or
 * PROGRAM_INTERPRETER.
 */
function findProgram(program: string, folder: string): string {
  const places = program.includes("/")
    ? [resolve(folder, program)]
    : (process.env.PATH ?? "").split(delimiter).map((place) => join(place, program));
  const found = places.find(isExecutable);
  if (found !== undefined) return withInterpreter(found);
  const barred = places.find(isFile);
  if (barred !== undefined)
    throw new ConfigFault("PROGRAM_NOT_EXECUTABLE", `The program ${barred} may not be executed.`, {
      hint: `chmod +x ${barred} allows it.`,
    });
  const where = program.includes("/") ? places[0] : `${program} (looked for in PATH)`;
  throw new ConfigFault("PROGRAM_MISSING", `There is no program ${where}.`, {
    hint: 'Install it, or correct "command" in the description: the program, then its arguments, one text each. A relative path is taken from its folder.',
  });
}

/** Starting a script whose interpreter is missing only says that there is "no such file". Throws ConfigFault PROGRAM_INTERPRETER. */
function withInterpreter(program: string): string {
  const interpreter = interpreterOf(program);
  if (interpreter === undefined || existsSync(interpreter)) return program;
  const crlf = interpreter.endsWith("\r");
  const sentence = crlf
    ? `The first line of the program ${program} ends with a carriage return, which is taken for part of the interpreter's name.`
    : `The program ${program} begins with #!${interpreter}, and there is no ${interpreter}.`;
  const hint = crlf
    ? `Save it with the line ends of Unix: sed -i 's/\\r$//' ${program}`
    : "Install it, or correct the first line of the program.";
  throw new ConfigFault("PROGRAM_INTERPRETER", sentence, { hint });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

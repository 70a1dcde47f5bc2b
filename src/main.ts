#!/usr/bin/env node
/**
 * The command line. Reads the settings of the chosen command, loads that command's composition root and nothing of the
 * others (a consumer never loads the wallet), passes signals on and turns how it ended into an exit code: 0 well, 1 not,
 * 2 for something the operator can correct, 130 or 143 when insisted on by a second signal.
 */
import "./config/node-version.ts";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { calibrateSettings } from "./config/commands/calibrate.ts";
import { consumerSettings } from "./config/commands/consumer.ts";
import { demoSettings } from "./config/commands/demo.ts";
import { initSettings } from "./config/commands/init.ts";
import { producerSettings } from "./config/commands/producer.ts";
import { recoverSettings } from "./config/commands/recover.ts";
import { relaySettings } from "./config/commands/relay.ts";
import { sandboxSettings } from "./config/commands/sandbox.ts";
import { scanSettings } from "./config/commands/scan.ts";
import { completionFor, SHELLS } from "./config/completion.ts";
import { containerAdvice, isHeld } from "./config/container-advice.ts";
import { adviceFor, adviceForCommand } from "./config/former-options.ts";
import { refuseStrayWords } from "./config/npm.ts";
import { flagsOf, optionsOf } from "./config/options.ts";
import { requireSandboxPackages } from "./config/sandbox-packages.ts";
import { foldPhrases } from "./config/values/phrases.ts";
import { type ConfigOf, readSettings, type SettingsTable, type Sources } from "./config/values/settings.ts";
import { visibleSecrets } from "./config/visible-secrets.ts";
import { ConfigFault, describeError } from "./domain/fault.ts";
import { keepDebuggerShut } from "./observe/debugger.ts";
import { logDependencies } from "./observe/dependency-output.ts";
import { createLogger, type LogOptions, type ProcessLog } from "./observe/log.ts";
import { stderrOutput } from "./observe/log-output.ts";
import { orphanSignal } from "./observe/orphaned.ts";
import { stopSignal } from "./observe/stop-signal.ts";

interface ProcessIo {
  readonly log: ProcessLog;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

interface ProgramParts<Table extends SettingsTable> {
  readonly name: string;
  readonly summary: string;
  readonly settings: Table;
  /** What it is told by words instead of flags, as the help names them. */
  readonly operands?: string;
  /** Resolves with the exit code. */
  run(config: ConfigOf<Table> & LogConfig, io: ProcessIo, words: readonly string[]): Promise<number>;
}

interface Program extends Omit<ProgramParts<SettingsTable>, "run"> {
  start(flags: Sources["flags"], words: readonly string[]): Promise<number>;
}

/** Every program has these two. */
interface LogConfig {
  readonly log: LogOptions["level"];
  readonly logFormat: LogOptions["format"];
}

function program<Table extends SettingsTable>({ run, ...parts }: ProgramParts<Table>): Program {
  const { name, settings } = parts;
  const start: Program["start"] = (flags, words) => {
    const ignored: { variable: string; why: string }[] = [];
    const onIgnored = (variable: string, why: string): number => ignored.push({ variable, why });
    const sources = { flags, env: process.env, onIgnored };
    const config = readSettings(settings, sources) as ConfigOf<Table> & LogConfig;
    showStacks = ["debug", "trace"].includes(config.log);
    const log = createLogger({ level: config.log, format: config.logFormat, name });
    logDependencies(log, console, process);
    for (const facts of ignored) log.warn(facts, "setting.ignored");
    hideSecrets(visibleSecrets(settings, flags), name, log);
    const asked = stopSignal(process, () => performance.now());
    orphaned.addEventListener("abort", () => log.warn({ hint: ORPHANED }, "process.orphaned"), {
      once: true,
    });
    const io = { log, signal: AbortSignal.any([asked, orphaned]), env: process.env };
    return run(config, io, words);
  };
  return { ...parts, start };
}

// From the first moment on: what ends before the program is chosen is not noticed otherwise.
const orphaned = orphanSignal({ parent: () => process.ppid, env: process.env });
const ORPHANED = "The npm that ran this has ended; it stops in order.";

/** A title takes the place of the arguments in the list of processes. They stood there until now, and do so in npm's. */
function hideSecrets(flags: readonly string[], name: string, log: ProcessLog): void {
  if (flags.length === 0) return;
  process.title = `microengine ${name}`;
  const hint = "Everybody on this machine could read them; give variables, or files such as PASSWORD_FILE.";
  log.warn({ flags, hint }, "secrets.visible");
}

const PROGRAMS: readonly Program[] = [
  program({
    name: "demo",
    summary: "a local marketplace, a producer and its consumers; needs no services",
    settings: demoSettings,
    run: async (config, io) => {
      requireSandboxPackages();
      return (await import("./demo/main.ts")).runDemo(config, io);
    },
  }),
  program({
    name: "producer",
    summary: "the daemon that answers bounties; holds the wallet",
    settings: producerSettings,
    run: async (config, io) => (await import("./producer/main.ts")).runProducer(config, io),
  }),
  program({
    name: "consumer",
    summary: "scans what a producer sends; run as many as needed",
    settings: consumerSettings,
    run: async (config, io) => (await import("./consumer/main.ts")).runConsumer(config, io),
  }),
  program({
    name: "recover",
    summary: "rebuilds a lost ledger from the marketplace, reveals and settles",
    settings: recoverSettings,
    run: async (config, io) => (await import("./producer/recover/main.ts")).runRecover(config, io),
  }),
  program({
    name: "sandbox",
    summary: "only the local marketplace, to test against",
    settings: sandboxSettings,
    run: async (config, io) => {
      requireSandboxPackages();
      return (await import("./sandbox/main.ts")).runSandbox(config, io);
    },
  }),
  program({
    name: "scan",
    summary: "scans local files and folders as a consumer would; needs no services",
    settings: scanSettings,
    operands: "PATH...",
    run: async (config, io, paths) => (await import("./scan/main.ts")).runScan(config, paths, io),
  }),
  program({
    name: "init",
    summary: "writes a project: a scanner, a bid strategy, their tests and a deployment",
    settings: initSettings,
    operands: "NAME",
    run: async (config, _io, words) => (await import("./init/main.ts")).runInit(config, words),
  }),
  program({
    name: "calibrate",
    summary: "shows from the ledger how far verdicts and backends can be believed",
    settings: calibrateSettings,
    run: async (config) => {
      const { runCalibrate } = await import("./producer/calibrate/main.ts");
      return runCalibrate(config, (text) => process.stdout.write(text));
    },
  }),
  program({
    name: "relay",
    summary: "a proxy that leads to the gateway alone, for consumers on a network without a way out",
    settings: relaySettings,
    run: async (config, io) => (await import("./relay/main.ts")).runRelay(config, io),
  }),
];

function commandLine(argv: readonly string[], chosen: (exitCode: number) => void): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const root = new Command("microengine")
    .description("The daemon with which security experts earn on the PolySwarm marketplace.")
    .version(version)
    .usage("COMMAND [OPTIONS]   (with npm: npm start COMMAND -- [OPTIONS])")
    .exitOverride()
    // Errors are told once, in one line, by `tell`.
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .helpCommand(false);
  for (const { name, summary, settings, operands, start } of PROGRAMS) {
    const usage = operands === undefined ? "[OPTIONS]" : `[OPTIONS] ${operands}`;
    const command = root.command(name).description(summary).usage(usage).allowExcessArguments();
    for (const option of optionsOf(settings)) command.addOption(option);
    command.action(async () => {
      const flags = flagsOf(settings, command.opts());
      const words = command.args;
      const rest = argv.slice(argv.indexOf(name) + 1);
      const takesWords = operands !== undefined;
      refuseStrayWords({ command: name, settings, flags, words, takesWords, rest }, process.env);
      chosen(await start(flags, words));
    });
  }
  root
    .command("completion")
    .description("prints what completes this command line in a shell")
    .usage(SHELLS.join("|"))
    .allowExcessArguments()
    .action((_options, { args: [shell] }) => {
      process.stdout.write(completionFor(shell, PROGRAMS));
    });
  return root;
}

/** `help COMMAND` is `COMMAND --help`. */
function unfoldHelp([first, name, ...rest]: readonly string[]): readonly string[] {
  if (first !== "help") return [first, name, ...rest].filter((word) => word !== undefined);
  if (name === undefined) return ["--help"];
  return [name, ...(PROGRAMS.some((known) => known.name === name) ? ["--help"] : [])];
}

let showStacks = false;

/** Says in one line what went wrong, and returns the exit code for it. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) stderrOutput().write(`microengine: ${misuse(error)}\n`);
    return error.exitCode === 0 ? 0 : 2;
  }
  const advice = containerAdvice(error, process.env);
  stderrOutput().write(`microengine: ${describeError(error)}${advice === undefined ? "" : ` ${advice}`}\n`);
  if (showStacks && error instanceof Error) stderrOutput().write(`${error.stack}\n`);
  return error instanceof ConfigFault ? 2 : 1;
}

function misuse({ code, message }: CommanderError): string {
  const commands = `The commands are ${PROGRAMS.map(({ name }) => name).join(", ")}; --help says more.`;
  if (code === "commander.help") return `Which command? ${commands}`;
  // What was given to a mistyped option may be a secret.
  const sentence = message
    .replace(/^error: /, "")
    .replaceAll("\n", " ")
    .replace(/(unknown option '[^'=]*)=.*'/, "$1'");
  if (code === "commander.unknownCommand") {
    const [, name = ""] = /unknown command '([^']*)'/.exec(sentence) ?? [];
    return `${sentence}. ${adviceForCommand(name) ?? commands}`;
  }
  const advice = adviceFor(sentence) ?? homeOf(sentence);
  return advice === undefined ? sentence : `${sentence}. ${advice}`;
}

/** Which commands know the option that a message complains of, if any do. */
function homeOf(sentence: string): string | undefined {
  const [, option] = /unknown option '--([\w-]+)/.exec(sentence) ?? [];
  const homes = PROGRAMS.filter(({ settings }) =>
    Object.values(settings).some(({ flag, hidden }) => flag === option && !hidden),
  ).map(({ name }) => name);
  return homes.length === 0 ? undefined : `It is an option of ${homes.join(", ")}.`;
}

/** Keeps the process as it is until it is asked to stop. */
async function untilSignal(): Promise<void> {
  const awake = setInterval(() => {}, 60_000);
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  clearInterval(awake);
}

process.on("uncaughtException", (error) => process.exit(tell(error)));
keepDebuggerShut(process);
const argv = foldPhrases(
  unfoldHelp(process.argv.slice(2)),
  PROGRAMS.map(({ settings }) => settings),
);
try {
  await commandLine(argv, (exitCode) => {
    process.exitCode = exitCode;
  }).parseAsync(argv, { from: "user" });
} catch (error) {
  process.exitCode = tell(error);
  if (isHeld(error, argv[0], process.env)) await untilSignal();
}
// Whatever a program left open must not keep it from ending.
setTimeout(() => process.exit(), 500).unref();

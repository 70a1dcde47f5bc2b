/** A service as a backend: the artifact is posted to it, and its answer is read by status and JSON. */
import { once } from "node:events";
import { connect } from "node:net";
import { ConfigFault, describeError, Fault } from "../../domain/fault.ts";
import { ACCEPTED_CODINGS } from "../../http/content-coding.ts";
import { openDispatcher } from "../../http/dispatcher.ts";
import { proxyFor } from "../../http/proxy.ts";
import type { Artifact, Finding, ScanContext, Scanner } from "../contract.ts";
import { findingOfAnswer } from "../described-answer.ts";
import { bodyOf, VARIABLE, variablesIn, variablesOf } from "./body.ts";
import { post } from "./post.ts";
import { HASH_PLACE, type HttpDescription } from "./shape.ts";

/** A handshake is cheap for the service but not for the scan; artifacts come some seconds apart. */
const KEEP_ALIVE_MS = 60_000;

export function httpScanner(description: HttpDescription): Scanner {
  const { name, version, accepts, method, url, statuses, answer, maxAnswerBytes } = description;
  const body = method === "GET" ? undefined : (description.body ?? { as: "raw" as const });
  const proxy = proxyFor(new URL(url.replaceAll(HASH_PLACE, "")), process.env);
  const agent = openDispatcher(proxy, {
    maxResponseSize: maxAnswerBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The deadline is the only limit.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let variables: ReadonlyMap<string, string> = new Map();

  async function scan(artifact: Artifact, { signal, deadline }: ScanContext): Promise<Finding> {
    const sent = body && bodyOf(artifact, body, variables);
    const { status, text, target } = await post(
      {
        method,
        url: url.replaceAll(HASH_PLACE, artifact.sha256),
        headers: {
          "accept-encoding": ACCEPTED_CODINGS,
          ...(sent && { "content-type": sent.contentType }),
          ...headersOf(artifact, deadline),
          ...withVariables(description.headers, variables),
        },
        body: sent?.bytes,
      },
      { agent, maxAnswerBytes, signal, deadline, now: Date.now, random: Math.random },
    );
    return findingOfAnswer(
      {
        outcome: status,
        text,
        who: `${name} answered with status ${status}${target === undefined ? "" : `, which points to ${target},`}`,
      },
      statuses,
      answer,
    );
  }

  return {
    name,
    version,
    accepts,
    setup() {
      variables = variablesFor(description, process.env);
    },
    scan,
    // Through a proxy only that can be looked for: what is behind it answers to requests alone.
    check: (signal) => reach(new URL(proxy?.url ?? url), signal),
    teardown: () => agent.destroy(),
  };
}

/** What a service may want to know besides the content. Nothing of it is an ambassador's word. */
const headersOf = ({ kind, sha256, types }: Artifact, deadline: number): Record<string, string> => ({
  "x-artifact-kind": kind,
  "x-artifact-sha256": sha256,
  "x-artifact-types": types.join(","),
  "x-artifact-deadline": String(deadline),
});

/** The variables that a description names. Throws ConfigFault SCANNER_VARIABLE_MISSING. */
function variablesFor(
  { headers, body }: HttpDescription,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, string> {
  const places = [
    ...Object.entries(headers).flatMap(([header, text]) =>
      variablesIn(text).map((name) => [name, `header ${header}`] as const),
    ),
    ...(body === undefined ? [] : variablesOf(body).map((name) => [name, "body"] as const)),
  ];
  return new Map(
    places.map(([name, place]) => {
      const value = env[name];
      if (value !== undefined && value !== "") return [name, value];
      throw new ConfigFault("SCANNER_VARIABLE_MISSING", `The variable ${name} is not set.`, {
        hint: `The ${place} of this backend needs it: give it to the consumers.`,
      });
    }),
  );
}

/** Names are lower-cased, so that a header of ours can be replaced. */
const withVariables = (
  given: HttpDescription["headers"],
  variables: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(given).map(([header, text]) => [
      header.toLowerCase(),
      text.replaceAll(VARIABLE, (_, name: string) => variables.get(name)!),
    ]),
  );

/** Whether something listens at the address. Asks nothing of the service: we do not know what a question costs it. */
async function reach({ protocol, hostname, port }: URL, signal: AbortSignal): Promise<void> {
  const host = hostname.replaceAll(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port || (protocol === "https:" ? 443 : 80)) });
  try {
    await once(socket, "connect", { signal });
  } catch (cause) {
    throw new Fault("SERVICE_UNREACHABLE", `${hostname} cannot be reached: ${describeError(cause)}.`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}

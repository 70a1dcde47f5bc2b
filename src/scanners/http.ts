/** A service as a backend: the artifact is posted to it, and its answer is read by status and JSON. */

import { once } from "node:events";
import { connect } from "node:net";
import { Agent } from "undici";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import type { Artifact, Finding, ScanContext, Scanner } from "./contract.ts";
import { findingOf } from "./described-answer.ts";
import { post } from "./http-post.ts";
import { type HttpDescription, VARIABLE } from "./http-shape.ts";

/** A handshake is cheap for the service but not for the scan; artifacts come some seconds apart. */
const KEEP_ALIVE_MS = 60_000;

export function httpScanner(description: HttpDescription): Scanner {
  const { name, version, accepts, url, statuses, answer, maxAnswerBytes } = description;
  const agent = new Agent({
    maxResponseSize: maxAnswerBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The deadline is the only limit.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let headers: Readonly<Record<string, string>> = {};

  async function scan(artifact: Artifact, { signal, deadline }: ScanContext): Promise<Finding> {
    const { status, text } = await post(
      { url, headers: { ...headersOf(artifact, deadline), ...headers }, body: artifact.bytes },
      { agent, signal, deadline, now: Date.now, random: Math.random },
    );
    return findingOf(
      { outcome: status, text, who: `${name} answered with status ${status}` },
      statuses,
      answer,
    );
  }

  return {
    name,
    version,
    accepts,
    setup() {
      headers = withVariables(description.headers, process.env);
    },
    scan,
    check: (signal) => reach(new URL(url), signal),
    teardown: () => agent.destroy(),
  };
}

/** What a service may want to know besides the content. Nothing of it is an ambassador's word. */
const headersOf = ({ kind, sha256, types }: Artifact, deadline: number): Record<string, string> => ({
  "content-type": "application/octet-stream",
  "x-artifact-kind": kind,
  "x-artifact-sha256": sha256,
  "x-artifact-types": types.join(","),
  "x-artifact-deadline": String(deadline),
});

/** Throws ConfigFault SCANNER_VARIABLE_MISSING. Names are lower-cased, so that a header of ours can be replaced. */
function withVariables(
  given: HttpDescription["headers"],
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const variable = (name: string, header: string): string => {
    const value = env[name];
    if (value !== undefined && value !== "") return value;
    throw new ConfigFault("SCANNER_VARIABLE_MISSING", `The variable ${name} is not set.`, {
      hint: `The header ${header} of this backend needs it: give it to the consumers.`,
    });
  };
  return Object.fromEntries(
    Object.entries(given).map(([header, value]) => [
      header.toLowerCase(),
      value.replaceAll(VARIABLE, (_, name: string) => variable(name, header)),
    ]),
  );
}

/** Whether anybody listens at the address. Asks nothing of the service: what a question costs is its secret. */
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

import { ConfigFault } from "../domain/fault.ts";

/** Where a relay may lead, as `host:port` in lower case. */
export type Destination = string;

export const destinationOf = ({ protocol, hostname, port }: URL): Destination =>
  `${hostname.toLowerCase()}:${port || (protocol === "https:" ? "443" : "80")}`;

/** Reads `HOST:PORT`. Throws ConfigFault RELAY_ALLOW_INVALID. */
export const readDestinations = (texts: readonly string[]): readonly Destination[] =>
  texts.map((text) => {
    const destination = destinationIn(text);
    if (destination !== undefined) return destination;
    throw new ConfigFault("RELAY_ALLOW_INVALID", `"${text}" is no HOST:PORT that a relay can lead to.`, {
      hint: "Give --allow (variable RELAY_ALLOW) something like scanner.example:443.",
    });
  });

/** What a CONNECT asks for; `undefined` for what is no `host:port`. */
export function destinationIn(text: string): Destination | undefined {
  const [, host, port] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return `${host.toLowerCase()}:${Number(port)}`;
}

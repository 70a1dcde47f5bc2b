import { type ConfigOf, many, one } from "../values/settings.ts";
import { port, text } from "../values/shapes.ts";
import { gateway, httpHost, logging } from "./common.ts";

const { polyswarmdAddr } = gateway;

/** Settings of the relay, which has no secret and needs none. */
export const relaySettings = {
  polyswarmdAddr,
  allow: many({
    flag: "allow",
    env: "RELAY_ALLOW",
    value: "HOST:PORT",
    help: "lead there, too: a service that is a backend",
    default: "",
    defaultHelp: "none",
    reads: text,
  }),
  port: one({
    flag: "port",
    env: "RELAY_PORT",
    value: "PORT",
    help: "port of the proxy; 0 takes any free one and logs it",
    default: "3128",
    reads: port,
  }),
  httpHost,
  ...logging,
};

export type RelayConfig = ConfigOf<typeof relaySettings>;

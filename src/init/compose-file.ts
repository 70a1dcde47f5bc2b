/**
 * The deployment of a project. Which variables reach a process is taken from the tables of settings, so that no setting is
 * forgotten. What else stands here is explained in microengine's own
 * docker-compose.yml.
 */
import { consumerSettings } from "../config/commands/consumer.ts";
import { producerSettings } from "../config/commands/producer.ts";
import type { SettingsTable } from "../config/values/settings.ts";

/** What the image says for the project, or for every container. */
const IN_THE_IMAGE = ["BACKEND", "BID_STRATEGY", "DATA_DIR"];
/** What a variable that is not set means, where that is not the program's default. */
const DEFAULTS: Readonly<Record<string, string>> = {
  POLYSWARMD_ADDR: "http://sandbox:31337",
  KEYFILE: "/wallet/keyfile",
  PASSWORD_FILE: "/wallet/password",
  HTTP_HOST: "0.0.0.0",
  HTTP_PORT: "9464",
  LOG_FORMAT: "json",
};

const WAY_OUT = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

const line = (name: string): string => `      ${name}: \${${name}:-${DEFAULTS[name] ?? ""}}\n`;

/** The lines of a service's `environment`. */
function environment(table: SettingsTable, more: readonly string[]): string {
  const names = Object.values(table).flatMap(({ env }) => env ?? []);
  const passed = [...names.filter((name) => !IN_THE_IMAGE.includes(name)), ...more];
  return `      CONFIG_FAULTS: hold\n${passed.map(line).join("")}`;
}

const SHARED = ["REDIS_PASSWORD", "NODE_EXTRA_CA_CERTS"];

export const composeFile = (
  name: string,
): string => `# The engine against the market that the environment, or a file named .env beside this one, names:
#
#   POLYSWARMD_ADDR=https://gateway.example/v1/default
#   WALLET_DIR=./wallet      # a folder with two files: keyfile (keystore V3) and password; readable by user 1000
#   DATA_DIR=./ledger        # a folder for the ledger, writable by user 1000; without it, the volume data. Do not lose it
#   REDIS_PASSWORD=...       # letters and digits; without one, whatever else is on this network may use the queue
#   QUEUE_SECRET=...         # seals jobs and answers
#   SCANNER_ENV_FILE=./scanner.env  # variables for the scanner; must be there when it is named
#
#   docker compose up --build --scale consumer=4
#
# Without them it plays in a market of its own, with the samples as bounties:
#
#   docker compose --profile sandbox up --build
#
# Empty means: the default of the program. Every flag has a variable; --help names them. What is wrong in them is told once, by
# \`docker compose logs\`; the container then stays as it is, unhealthy, until it is corrected.

x-hardened: &hardened
  read_only: true
  tmpfs:
    - /tmp
  cap_drop:
    - ALL
  security_opt:
    - no-new-privileges:true
  init: true
  restart: unless-stopped
  stop_grace_period: \${STOP_GRACE_PERIOD:-30s}

services:
  redis:
    image: redis:7-bookworm
    user: redis
    command:
      - redis-server
      - --save
      - ""
      - --appendonly
      - "no"
      - --maxmemory-policy
      - noeviction
      # Empty: none.
      - --requirepass
      - \${REDIS_PASSWORD:-}
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
      interval: 5s
      timeout: 3s
      retries: 5
    networks:
      - scanning
    <<: *hardened

  # The only service that is given the wallet. Exactly one.
  producer:
    build: .
    image: ${name}
    command: ["producer"]
    environment:
      # Empty: play money, whose ledger is kept apart from a real one, in a folder of its own.
      WALLET_DIR: \${WALLET_DIR:-}
${environment(producerSettings, [...SHARED, ...WAY_OUT])}    env_file:
      - \${SCANNER_ENV_FILE:-scanner.env.example}
    volumes:
      - \${DATA_DIR:-data}:/data
      - \${WALLET_DIR:-sandbox-wallet}:/wallet:ro
    networks:
      - scanning
      - outside
    depends_on:
      redis:
        condition: service_healthy
    <<: *hardened

  # Scanners read hostile files: a consumer is on a network without a way out, and reaches the gateway through the relay.
  consumer:
    build: .
    image: ${name}
    command: ["consumer"]
    environment:
${environment(consumerSettings, SHARED)}      HTTP_PROXY: http://relay:3128
      HTTPS_PROXY: http://relay:3128
      ALL_PROXY: ""
      NO_PROXY: \${CONSUMER_NO_PROXY:-}
      http_proxy: http://relay:3128
      https_proxy: http://relay:3128
      all_proxy: ""
      no_proxy: \${CONSUMER_NO_PROXY:-}
    env_file:
      - \${SCANNER_ENV_FILE:-scanner.env.example}
    mem_limit: \${CONSUMER_MEMORY:-2g}
    pids_limit: 512
    networks:
      - scanning
    depends_on:
      redis:
        condition: service_healthy
      relay:
        condition: service_healthy
    <<: *hardened

  # A proxy that leads to the gateway, to what RELAY_ALLOW names (HOST:PORT, commas between), and nowhere else.
  relay:
    image: microengine
    command: ["relay"]
    environment:
      CONFIG_FAULTS: hold
${["POLYSWARMD_ADDR", "HTTP_HOST", "LOG_LEVEL", "LOG_FORMAT", "RELAY_ALLOW", ...WAY_OUT].map(line).join("")}      RELAY_PORT: 3128
      # Of the health check.
      HTTP_PORT: 3128
    networks:
      - scanning
      - outside
    <<: *hardened

  # Built in the clone of microengine: docker build -t microengine-sandbox --target sandbox CLONE
  sandbox:
    profiles: ["sandbox"]
    image: microengine-sandbox
    command: ["sandbox", "--artifacts", "/samples"]
    volumes:
      - sandbox-wallet:/wallet
      - ./samples:/samples:ro
    networks:
      - outside
    <<: *hardened

networks:
  outside:
  scanning:
    # No way out. With a Redis of yours elsewhere, which no proxy leads to: CONSUMERS_INTERNAL=false.
    internal: \${CONSUMERS_INTERNAL:-true}

volumes:
  data:
  sandbox-wallet:
`;

import type { Project, ProjectFile } from "./project.ts";

/** The project as an image on top of microengine's own, and a deployment of it. */
export const containerFiles = (project: Project): readonly ProjectFile[] => [
  { path: "Dockerfile", text: dockerfile(project) },
  { path: ".dockerignore", text: "node_modules/\ndata/\nsandbox-wallet/\n.env\n" },
  { path: "compose.yaml", text: compose(project.name) },
];

function dockerfile({ scanner }: Project): string {
  const [files, backend] =
    scanner === "module"
      ? ["scanner.ts", "/plugins/scanner.ts"]
      : ["scanner.json scanner.sh", "/plugins/scanner.json"];
  const tools =
    scanner === "module"
      ? ""
      : `# What the program needs beyond a Debian system:
# USER root
# RUN apt-get update && apt-get install -y --no-install-recommends YOUR-TOOL && rm -rf /var/lib/apt/lists/*
# USER node
`;
  return `# Producer and consumer of this engine. The image it begins with is built in the clone of microengine:
#   docker build -t microengine CLONE
FROM microengine
${tools}COPY package.json ${files} bid-strategy.ts /plugins/
ENV BACKEND=${backend} \\
    BID_STRATEGY=/plugins/bid-strategy.ts
`;
}

const compose = (
  name: string,
): string => `# The engine against the market that the environment, or a file named .env beside this one, names:
#
#   POLYSWARMD_ADDR=https://gateway.example/v1/default
#   WALLET_DIR=./wallet      # a folder with two files: keyfile (keystore V3) and password; readable by user 1000
#   DATA_DIR=data            # the volume, or a folder of yours, that the ledger is kept in: do not lose it
#   REDIS_PASSWORD=...       # letters and digits; without one, whatever else is on this network may use the queue
#   QUEUE_SECRET=...         # seals jobs and answers
#
#   docker compose up --build --scale consumer=4
#
# Without them it plays in a market of its own, with the samples as bounties:
#
#   docker compose --profile sandbox up --build

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
  stop_grace_period: 30s

# Empty means: the default of the program. Every flag has a variable; --help names them.
x-scanning: &scanning
  POLYSWARMD_ADDR: \${POLYSWARMD_ADDR:-http://sandbox:31337}
  API_KEY: \${API_KEY:-}
  REDIS_ADDR: redis://:\${REDIS_PASSWORD:-}@redis:6379
  QUEUE_SECRET: \${QUEUE_SECRET:-}
  LOG_LEVEL: \${LOG_LEVEL:-}

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
    <<: *hardened

  # The only service that is given the wallet. Exactly one.
  producer:
    build: .
    image: ${name}
    command: ["producer"]
    environment:
      <<: *scanning
      KEYFILE: /wallet/keyfile
      PASSWORD_FILE: /wallet/password
    volumes:
      - \${DATA_DIR:-sandbox-data}:/data
      - \${WALLET_DIR:-sandbox-wallet}:/wallet:ro
    depends_on:
      redis:
        condition: service_healthy
    <<: *hardened

  consumer:
    build: .
    image: ${name}
    command: ["consumer"]
    environment:
      <<: *scanning
      SCAN_LIMIT: \${SCAN_LIMIT:-}
    # Scanners read hostile files.
    mem_limit: 2g
    pids_limit: 512
    depends_on:
      redis:
        condition: service_healthy
    <<: *hardened

  # Built in the clone of microengine: docker build -t microengine-sandbox --target sandbox CLONE
  sandbox:
    profiles: ["sandbox"]
    image: microengine-sandbox
    command: ["sandbox", "--artifacts", "/samples"]
    volumes:
      - sandbox-wallet:/wallet
      - ./samples:/samples:ro
    <<: *hardened

volumes:
  data:
  sandbox-data:
  sandbox-wallet:
`;

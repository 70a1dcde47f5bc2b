# One image for every process of microengine; which one runs is the command: producer (the default), consumer, sandbox.
# Node 24 runs the TypeScript sources as they are, so nothing is compiled.

FROM node:24-bookworm-slim AS base
ENV NODE_ENV=production
WORKDIR /app

# What producer and consumer need: no development tools, no local chain, no install scripts.
FROM base AS dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# The sandbox needs the chain and the compiler as well.
FROM base AS sandbox-dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM base AS app
COPY package.json ./
COPY src ./src
COPY docker/entrypoint.sh /usr/local/bin/microengine
# Volumes mounted here take over the owner of these folders.
RUN chmod 0755 /usr/local/bin/microengine && install -d -o node -g node -m 0700 /data /wallet
ENV MICROENGINE_IMAGE=1 \
    DATA_DIR=/data \
    LOG_FORMAT=json \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=9464
USER node
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=90s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["microengine"]
CMD ["producer"]

FROM app AS sandbox
COPY --from=sandbox-dependencies /app/node_modules ./node_modules
COPY contracts ./contracts
ENV SANDBOX_PORT=31337 \
    SANDBOX_WALLET_DIR=/wallet
EXPOSE 31337
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SANDBOX_PORT}/status`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["sandbox"]

# Last, so that it is what `docker build .` makes.
FROM app AS microengine
COPY --from=dependencies /app/node_modules ./node_modules

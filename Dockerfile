# The server in a small image: dependencies are installed apart, and nothing runs as root.
FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY tools/ts.mjs ./tools/ts.mjs
COPY src ./src
COPY routes ./routes
COPY workers ./workers
COPY examples ./examples
USER node
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would stand between Docker's signals and the server.
CMD ["node", "--import", "./tools/ts.mjs", "src/server/main.ts"]

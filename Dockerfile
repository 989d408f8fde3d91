# The server in a small image: dependencies in one stage, the page in the next, the program in the last, run by a user
# without rights. All three are of one Node, the LTS line of this release.
FROM node:24.11.1-bookworm-slim AS node
WORKDIR /app

FROM node AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node AS page
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY tools ./tools
COPY src ./src
COPY examples ./examples
COPY ui ./ui
RUN node tools/build-ui.mjs

FROM node
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY tools/ts.mjs ./tools/
COPY src ./src
COPY routes ./routes
COPY workers ./workers
COPY examples ./examples
COPY --from=page /app/dist/ui ./dist/ui
USER node
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm: the signal to stop must reach the server itself.
CMD ["node", "--import", "./tools/ts.mjs", "src/server/main.ts"]

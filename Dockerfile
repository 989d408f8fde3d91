# The server in a small image: dependencies in one stage, the build in the next, both in the last, run by a user
# without rights. All three are of one Node, the LTS line of this release.
FROM node:24.11.1-bookworm-slim AS node
WORKDIR /app

FROM node AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY tools ./tools
COPY src ./src
COPY routes ./routes
COPY workers ./workers
COPY examples ./examples
COPY ui ./ui
RUN node tools/build.mjs

FROM node
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY --from=build /app/dist ./dist
# Nothing of it is run: where a stack was taken is looked up in the source.
COPY src ./src
COPY routes ./routes
COPY workers ./workers
COPY examples ./examples
USER node
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm: the signal to stop must reach the server itself.
CMD ["node", "--enable-source-maps", "dist/src/server/main.js"]

# The console is built with packages that the ledger does not need.
FROM node:24-bookworm-slim AS console
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
RUN npm ci --ignore-scripts
COPY bin ./bin
COPY src ./src
COPY web ./web
COPY tsconfig.json ./
RUN npm run build

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
RUN npm ci --omit=dev --ignore-scripts
COPY bin ./bin
COPY src ./src
COPY packages/client/src packages/client/src
COPY --from=console /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
# Inside a container the loopback address reaches nobody. Without a key the ledger refuses to start on this one.
ENV LEDGER_DATA_DIR=/data LEDGER_HTTP_HOST=0.0.0.0
EXPOSE 8400
VOLUME /data
CMD ["node", "src/main.ts"]

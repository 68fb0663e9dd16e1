FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts
COPY bin ./bin
COPY src ./src
RUN mkdir /data && chown node:node /data
USER node
ENV LEDGER_DATA_DIR=/data
VOLUME /data
CMD ["node", "src/main.ts"]

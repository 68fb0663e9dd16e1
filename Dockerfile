# The image of the ledger: Node.js, the libraries that it needs, and the ledger; no shell and no package manager.
#
#   docker build --tag cluster-ledger .
#
# Only the npm registry is asked for packages. docs/how-to/run-in-a-container.md has the options: another base image, a
# pinned one, and how to get the same layers twice.
ARG BASE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${BASE_IMAGE} AS sources
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/

# The console and the bundle of the program are built with packages that the ledger does not need.
FROM sources AS built
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY bin bin
COPY web web
COPY src src
COPY packages/client/src packages/client/src
RUN npm run build

# The files of the ledger. All times are those of SOURCE_DATE_EPOCH, and permissions do not depend on the checkout, so that
# equal sources give equal layers.
FROM sources AS ledger
ARG SOURCE_DATE_EPOCH=0
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -f node_modules/.package-lock.json
COPY bin bin
COPY src src
COPY packages/client/src packages/client/src
COPY --from=built /app/dist dist
RUN mkdir -p /rootfs/data \
 && mv /app /rootfs/app \
 && chmod -R u=rwX,go=rX /rootfs \
 && chmod 1777 /rootfs/data \
 && find /rootfs -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

# The files of the system: Node.js, the libraries that it loads, the public certificate authorities, `env` for the first
# line of the command line, and `sleep` for hooks that wait. status.d has the Debian packages, for scanners.
FROM ${BASE_IMAGE} AS system
ARG SOURCE_DATE_EPOCH=0
RUN mkdir -p /rootfs/etc /rootfs/tmp /rootfs/usr/local/bin /rootfs/var/lib/dpkg/status.d \
 && cp --parents --dereference /usr/local/bin/node /usr/bin/env /usr/bin/sleep \
      $(ldd /usr/local/bin/node | grep -o '/[^ )]*') /rootfs \
 && (cp --parents --dereference /etc/ssl/certs/ca-certificates.crt /rootfs || true) \
 && cp --dereference /etc/nsswitch.conf /etc/os-release /rootfs/etc/ \
 && printf 'root:x:0:0:root:/root:/sbin/nologin\nledger:x:65532:65532:ledger:/data:/sbin/nologin\n' > /rootfs/etc/passwd \
 && printf 'root:x:0:\nledger:x:65532:\n' > /rootfs/etc/group \
 && for package in libc6 libgcc-s1 libstdc++6; do dpkg --status "$package" > "/rootfs/var/lib/dpkg/status.d/$package"; done \
 && ln -s /app/bin/cluster-ledger.js /rootfs/usr/local/bin/cluster-ledger \
 && chmod 1777 /rootfs/tmp \
 && find /rootfs -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
COPY --from=system /rootfs /
COPY --from=ledger /rootfs /
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cluster-ledger" \
      org.opencontainers.image.description="The ledger that decides what customers of a Kubernetes platform are charged for their clusters, and can prove it." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
# In a container the loopback address reaches nobody. Without a key the ledger refuses to start on this one.
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    NODE_ENV=production \
    LEDGER_DATA_DIR=/data \
    LEDGER_HTTP_HOST=0.0.0.0
WORKDIR /app
USER 65532:65532
EXPOSE 8400
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["node", "/app/bin/health-check.js"]
ENTRYPOINT ["cluster-ledger"]
CMD ["serve"]

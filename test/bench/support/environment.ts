/** A running EventStoreDB to measure against, such as `esdb://127.0.0.1:2113?tls=false`. */
export const eventStoreDbUrl: string | undefined =
  // biome-ignore lint/style/noProcessEnv: the one place where the benchmark reads the environment.
  process.env['EVENTSTOREDB_URL'];

/** Where programs are searched. */
export const searchPath: string | undefined =
  // biome-ignore lint/style/noProcessEnv: as above.
  process.env['PATH'];

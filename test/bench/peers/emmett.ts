import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The part of emmett's store that the benchmark uses. */
interface EmmettStore {
  appendToStream(
    stream: string,
    events: readonly { readonly type: string; readonly data: object; readonly metadata: object }[],
    options: { readonly expectedStreamVersion: bigint | 'STREAM_DOES_NOT_EXIST' },
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** @param folder folder in which `@event-driven-io/emmett-postgresql` is installed. */
export async function openEmmett(folder: string, connectionString: string): Promise<EmmettStore> {
  const entry = join(folder, 'node_modules/@event-driven-io/emmett-postgresql/dist/index.js');
  const { getPostgreSQLEventStore } = (await import(pathToFileURL(entry).href)) as {
    getPostgreSQLEventStore(connectionString: string): EmmettStore;
  };
  return getPostgreSQLEventStore(connectionString);
}

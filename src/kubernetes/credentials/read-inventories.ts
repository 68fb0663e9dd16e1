import type { SourceReading } from '../../domain/inventory.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import { type CredentialSource, sourceName } from './credential-source.ts';

/**
 * Reads the inventories of all sources that have one, and checks the others. An unreadable source is reported as `unreadable` and does not
 * fail the call.
 */
export async function readInventories(
  sources: readonly CredentialSource[],
  signal: AbortSignal,
): Promise<readonly SourceReading[]> {
  return Promise.all(
    sources
      .filter(({ inventory, check }) => inventory !== undefined || check !== undefined)
      .map((source) => read(source, signal)),
  );
}

async function read(source: CredentialSource, signal: AbortSignal): Promise<SourceReading> {
  const name = sourceName(source);
  try {
    if (source.inventory !== undefined)
      return { source: name, items: await Array.fromAsync(source.inventory(signal)) };
    await source.check?.(signal);
    return { source: name, isReadable: true };
  } catch (error) {
    const why = error instanceof SourceUnreadable ? error.message : 'it could not be read';
    return { source: name, unreadable: why.slice(0, 300) };
  }
}

import type { SourceReading } from '../../domain/inventory.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import type { CredentialSource } from './credential-source.ts';

/**
 * Reads the inventories of all sources that have one. An unreadable source is reported as `unreadable` and does not
 * fail the call.
 */
export async function readInventories(
  sources: readonly CredentialSource[],
  signal: AbortSignal,
): Promise<readonly SourceReading[]> {
  return Promise.all(
    sources.filter(({ inventory }) => inventory !== undefined).map((source) => read(source, signal)),
  );
}

async function read(source: CredentialSource, signal: AbortSignal): Promise<SourceReading> {
  const { scheme } = source;
  try {
    return { source: scheme, items: await Array.fromAsync(source.inventory?.(signal) ?? []) };
  } catch (error) {
    const why = error instanceof SourceUnreadable ? error.message : 'it could not be read';
    return { source: scheme, unreadable: why.slice(0, 300) };
  }
}

import { parseReference } from '../../domain/connection.ts';
import type { InventoryItem } from '../../domain/inventory.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import type { Credential } from './credential.ts';

/** A source of cluster credentials, addressed by name. */
export interface CredentialSource {
  /** Scheme of the `connection` references that it resolves: `dir`, `argocd`, `capi`, `secret`. */
  readonly scheme: string;
  /**
   * Reads one credential.
   * @param name the part of the reference after the scheme.
   * @returns `'absent'` if the source was read and has no such credential.
   * @throws SourceUnreadable if it is unknown whether there is one. @throws CredentialRefused if it is not
   * acceptable.
   */
  resolve(name: string, signal: AbortSignal): Promise<Credential | 'absent'>;
  /** Returns why a name is absent: what the source would need to have, for people. */
  whyAbsent(name: string): string;
  /** Forgets what the source has read, so that the next call sees changes. Absent if the source keeps nothing. */
  refresh?(): void;
  /** Yields the clusters that the source lists; absent if the source cannot list any. @throws SourceUnreadable */
  inventory?(signal: AbortSignal): AsyncIterable<InventoryItem>;
  close(): Promise<void>;
}

/** A credential that is not acceptable, with the field at fault. The message never contains the value of the field. */
export class CredentialRefused extends Error {
  override readonly name = 'CredentialRefused';
  readonly field: string;

  constructor(field: string, why: string) {
    super(`${field} ${why}`);
    this.field = field;
  }
}

/**
 * Resolves a `connection` reference.
 * @returns `'absent'` if there is no such credential or no reference.
 * @throws SourceUnreadable also if no source with this scheme is configured. @throws CredentialRefused
 */
export async function resolveConnection(
  reference: string | undefined,
  sources: readonly CredentialSource[],
  signal: AbortSignal,
): Promise<Credential | 'absent'> {
  if (reference === undefined) return 'absent';
  const parsed = parseReference(reference);
  if (parsed === undefined) throw new CredentialRefused('connection', 'must be <source>:<name>');
  const source = sources.find(({ scheme }) => scheme === parsed.scheme);
  if (source === undefined)
    throw new SourceUnreadable(`no credential source with the scheme ${parsed.scheme} is configured`);
  return source.resolve(parsed.name, signal);
}

/** Returns why `resolveConnection` returned `'absent'`, for people. */
export function whyAbsent(reference: string | undefined, sources: readonly CredentialSource[]): string {
  const parsed = reference === undefined ? undefined : parseReference(reference);
  if (parsed === undefined) return 'the registration of the cluster has no connection';
  const source = sources.find(({ scheme }) => scheme === parsed.scheme);
  return source?.whyAbsent(parsed.name) ?? 'its source has no such credential';
}

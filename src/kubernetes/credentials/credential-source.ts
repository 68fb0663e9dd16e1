import { parseReference } from '../../domain/connection.ts';
import type { InventoryItem } from '../../domain/inventory.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import type { Credential } from './credential.ts';

/** A source of cluster credentials, addressed by name. */
export interface CredentialSource {
  /** Scheme of the `connection` references that it resolves: `dir`, `argocd`, `capi`, `secret`. */
  readonly scheme: string;
  /** Name of the management cluster that it reads; absent if that has none, or there is none. */
  readonly clusterName?: string | undefined;
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
  /** Checks that a source that cannot list can be read. @throws SourceUnreadable */
  check?(signal: AbortSignal): Promise<void>;
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
  const { scheme, name } = parsed;
  const own = sources.filter((source) => source.scheme === scheme);
  if (own.length === 0)
    throw new SourceUnreadable(`no credential source with the scheme ${scheme} is configured`);
  const meant = sourceOf(name, own);
  if (meant === undefined)
    throw new CredentialRefused(
      'connection',
      `must name a configured management cluster: ${scheme}:<management cluster>/<namespace>/<name>`,
    );
  return meant.source.resolve(meant.name, signal);
}

/**
 * Returns the source that a name refers to, and the name within it. The name of a management cluster stands before a
 * namespace and a name.
 * @param own the sources of the scheme of the reference.
 */
function sourceOf(
  name: string,
  own: readonly CredentialSource[],
): { readonly source: CredentialSource; readonly name: string } | undefined {
  const [first = '', ...rest] = name.split('/');
  const named = rest.length < 2 ? undefined : own.find(({ clusterName }) => clusterName === first);
  if (named !== undefined) return { source: named, name: rest.join('/') };
  const unnamed = own.find(({ clusterName }) => clusterName === undefined);
  return unnamed === undefined ? undefined : { source: unnamed, name };
}

/** Returns the name of a source in inventories and alerts: its scheme, and its management cluster if that has a name. */
export function sourceName({
  scheme,
  clusterName,
}: Pick<CredentialSource, 'scheme' | 'clusterName'>): string {
  return clusterName === undefined ? scheme : `${scheme}/${clusterName}`;
}

/** Returns why `resolveConnection` returned `'absent'`, for people. */
export function whyAbsent(reference: string | undefined, sources: readonly CredentialSource[]): string {
  const parsed = reference === undefined ? undefined : parseReference(reference);
  if (parsed === undefined) return 'the registration of the cluster has no connection';
  const own = sources.filter(({ scheme }) => scheme === parsed.scheme);
  const meant = sourceOf(parsed.name, own);
  return meant?.source.whyAbsent(meant.name) ?? 'its source has no such credential';
}

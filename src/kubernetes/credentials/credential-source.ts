import { parseReference } from '../../domain/connection.ts';
import type { InventoryItem } from '../../domain/inventory.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import type { Credential } from './credential.ts';

/** A place that keeps credentials of clusters under names. */
export interface CredentialSource {
  /** The kind of `connection` reference that it serves: `dir`, `argocd`, `capi`, `secret`. */
  readonly scheme: string;
  /**
   * @param name what follows the scheme in the reference.
   * @returns the credential, or `'absent'` where the source was read and has none of that name.
   * @throws SourceUnreadable it is not known whether there is one. @throws CredentialRefused there is one that is not used.
   */
  resolve(name: string, signal: AbortSignal): Promise<Credential | 'absent'>;
  /** The clusters that it knows, page by page as they are read; absent where a source cannot say. @throws SourceUnreadable */
  inventory?(signal: AbortSignal): AsyncIterable<InventoryItem>;
  close(): Promise<void>;
}

/** A credential that is not used, by the field that is at fault. The message never holds what stands in the field. */
export class CredentialRefused extends Error {
  override readonly name = 'CredentialRefused';
  readonly field: string;

  constructor(field: string, why: string) {
    super(`${field} ${why}`);
    this.field = field;
  }
}

/**
 * Finds the credential that a `connection` reference names.
 * @returns `'absent'` where there is none, or where nothing is referred to.
 * @throws SourceUnreadable also where no source of that kind is configured. @throws CredentialRefused
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
    throw new SourceUnreadable(`no source of credentials ${parsed.scheme} is configured`);
  return source.resolve(parsed.name, signal);
}

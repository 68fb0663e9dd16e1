import type { ManagementCluster } from '../../management/management-cluster.ts';
import { keysOf, type Secret, textOf } from '../../management/secrets-api.ts';
import { SourceUnreadable } from '../../management/source-unreadable.ts';
import { Credential } from '../credential.ts';
import { CredentialRefused, type CredentialSource } from '../credential-source.ts';
import { MAX_KUBECONFIG_BYTES } from './directory.ts';
import type { Place } from './place.ts';
import { splitName } from './secret-names.ts';

/** Name of a Secret that is only asked for to see whether Secrets can be read. */
const CHECKED_NAME = 'cluster-ledger-check';

/** Keys that are tried in this order if the reference has no key. */
const USUAL_KEYS = ['kubeconfig', 'value', 'config', 'value.yaml', 'kubeconfig.yaml', 'admin.conf'] as const;
const MAX_KEYS_SHOWN = 5;

/**
 * Kubeconfigs in any Secret: `secret:<namespace>/<name>[/<key>]`. A registration chooses the Secret, so only the
 * configured namespaces are read.
 */
export class PlainSecretSource implements CredentialSource {
  readonly scheme = 'secret';
  readonly clusterName: string | undefined;
  readonly #cluster: ManagementCluster;
  readonly #namespaces: ReadonlySet<string>;

  constructor({ cluster, clusterName }: Place, namespaces: readonly string[]) {
    this.#cluster = cluster;
    this.clusterName = clusterName;
    this.#namespaces = new Set(namespaces);
  }

  async resolve(reference: string, signal: AbortSignal): Promise<Credential | 'absent'> {
    const { namespace, name, key } = splitName(reference, true);
    if (!this.#namespaces.has(namespace))
      throw new CredentialRefused('connection', 'must be in a namespace that is configured for kubeconfigs');
    const secret = await this.#cluster.secret(namespace, name, signal);
    if (secret === 'absent') return 'absent';
    const dataKey = key ?? USUAL_KEYS.find((usual) => textOf(secret, usual) !== undefined);
    const text = dataKey === undefined ? undefined : textOf(secret, dataKey);
    if (text === undefined) throw new CredentialRefused('connection', adviceOnKeys(secret, key));
    if (Buffer.byteLength(text) > MAX_KUBECONFIG_BYTES)
      throw new CredentialRefused('kubeconfig', `must have at most ${MAX_KUBECONFIG_BYTES} bytes`);
    return new Credential({ kind: 'kubeconfig', text });
  }

  whyAbsent(reference: string): string {
    const { namespace, name } = splitName(reference, true);
    return `the namespace ${namespace} has no Secret ${name}`;
  }

  /** Asks for a Secret that need not exist. A role that permits only some Secrets refuses that, and is enough. */
  async check(signal: AbortSignal): Promise<void> {
    for (const namespace of this.#namespaces) {
      try {
        await this.#cluster.secret(namespace, CHECKED_NAME, signal);
      } catch (error) {
        if (!(error instanceof SourceUnreadable) || error.status !== 403) throw error;
      }
    }
  }

  async close(): Promise<void> {}
}

/** Names the keys of a Secret, which are not secret. */
function adviceOnKeys(secret: Secret, key: string | undefined): string {
  const keys = keysOf(secret);
  const shown = [...keys.slice(0, MAX_KEYS_SHOWN), ...(keys.length > MAX_KEYS_SHOWN ? ['…'] : [])];
  const has = keys.length === 0 ? 'the Secret is empty' : `the Secret has ${shown.join(', ')}`;
  return key === undefined
    ? `must name the key of the kubeconfig, as in secret:<namespace>/<name>/<key>: ${has}`
    : `must name a key that the Secret has: ${has}`;
}

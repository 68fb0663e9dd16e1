import type { InventoryItem } from '../../../domain/inventory.ts';
import type { Secret } from '../../management/secrets-api.ts';
import type { Credential } from '../credential.ts';
import { CredentialRefused, type CredentialSource, sourceName } from '../credential-source.ts';
import type { Place } from './place.ts';
import { splitName } from './secret-names.ts';

/** A Secret that was read: a credential, or the reason why it is not acceptable. */
export interface Entry {
  /** `<namespace>/<name>`, as in references. */
  readonly name: string;
  readonly credential: Credential | CredentialRefused;
  /** Absent if the cluster is not part of the inventory. */
  readonly item: Omit<InventoryItem, 'source' | 'reference'> | undefined;
}

interface Options extends Place {
  readonly scheme: string;
  readonly labelSelector: string;
  /** Namespaces to read; an empty list means all. */
  readonly namespaces: readonly string[];
  /** Reads one Secret; returns `undefined` if it does not belong to the source. */
  readonly read: (secret: Secret) => Entry | undefined;
  /** Returns what a Secret of that name would need, for people. */
  readonly whyAbsent: (name: { readonly namespace: string; readonly name: string }) => string;
  /** Lifetime of the cached list in ms. */
  readonly freshMs?: number;
}

type Entries = ReadonlyMap<string, Entry>;

/** A run resolves thousands of names within a minute or two, from one list. */
const FRESH_MS = 60_000;
/** Lifetime of a failed list, so that each name does not cause another call. */
const RETRY_AFTER_MS = 5_000;

/**
 * Credentials in Secrets with a common label. They are listed in pages and cached for a minute, or until the next run
 * begins: a run over 10,000 clusters costs 20 calls, and each run sees changes.
 */
export class LabelledSecrets implements CredentialSource {
  readonly scheme: string;
  readonly clusterName: string | undefined;
  readonly #options: Options;
  #reading: { readonly entries: Promise<Entries>; readonly timer: NodeJS.Timeout } | undefined;
  readonly #stop = new AbortController();

  constructor(options: Options) {
    this.scheme = options.scheme;
    this.clusterName = options.clusterName;
    this.#options = options;
  }

  async resolve(reference: string): Promise<Credential | 'absent'> {
    const { namespace, name } = splitName(reference);
    const entry = (await this.#entries()).get(`${namespace}/${name}`);
    if (entry === undefined) return 'absent';
    if (entry.credential instanceof CredentialRefused) throw entry.credential;
    return entry.credential;
  }

  whyAbsent(reference: string): string {
    return this.#options.whyAbsent(splitName(reference));
  }

  refresh(): void {
    clearTimeout(this.#reading?.timer);
    this.#reading = undefined;
  }

  async *inventory(): AsyncIterable<InventoryItem> {
    const source = sourceName(this);
    const prefix = this.clusterName === undefined ? '' : `${this.clusterName}/`;
    for (const { name, item } of (await this.#entries()).values())
      if (item !== undefined) yield { source, reference: `${this.scheme}:${prefix}${name}`, ...item };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.refresh();
  }

  #entries(): Promise<Entries> {
    if (this.#reading !== undefined) return this.#reading.entries;
    const entries = this.#read();
    const forgetAfter = (ms: number) =>
      setTimeout(() => {
        if (this.#reading?.entries === entries) this.#reading = undefined;
      }, ms).unref();
    this.#reading = { entries, timer: forgetAfter(this.#options.freshMs ?? FRESH_MS) };
    entries.catch(() => {
      if (this.#reading?.entries !== entries) return;
      clearTimeout(this.#reading.timer);
      this.#reading = {
        entries,
        timer: forgetAfter(Math.min(RETRY_AFTER_MS, this.#options.freshMs ?? FRESH_MS)),
      };
    });
    return entries;
  }

  async #read(): Promise<Entries> {
    const { cluster, labelSelector, namespaces, read } = this.#options;
    const entries = new Map<string, Entry>();
    for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
      const { items } = await cluster.list({ namespace, labelSelector }, read, this.#stop.signal);
      for (const entry of items) entries.set(entry.name, entry);
    }
    return entries;
  }
}

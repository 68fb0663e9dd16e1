import type { InventoryItem } from '../../../domain/inventory.ts';
import type { ManagementCluster } from '../../management/management-cluster.ts';
import type { Secret } from '../../management/secrets-api.ts';
import type { Credential } from '../credential.ts';
import { CredentialRefused, type CredentialSource } from '../credential-source.ts';
import { splitName } from './secret-names.ts';

/** What one Secret holds: a credential, or why there is none to be had from it. */
export interface Entry {
  /** `<namespace>/<name>`, as references have it. */
  readonly name: string;
  readonly credential: Credential | CredentialRefused;
  /** Absent where it is not one of the clusters that are looked after. */
  readonly item: InventoryItem | undefined;
}

interface Options {
  readonly scheme: string;
  readonly cluster: ManagementCluster;
  readonly labelSelector: string;
  /** The namespaces that are read; none for all of them. */
  readonly namespaces: readonly string[];
  /** Reads one; `undefined` where it is none of the source's. */
  readonly read: (secret: Secret) => Entry | undefined;
  /** How long what was read is good for. */
  readonly freshMs?: number;
}

type Entries = ReadonlyMap<string, Entry>;

/** A run asks for thousands of names within a minute or two. */
const FRESH_MS = 60_000;
/** What could not be read is not asked for again for each of them. */
const RETRY_AFTER_MS = 5_000;

/**
 * Credentials in Secrets that have a label in common. They are listed in pages and kept for a minute, so that a run over
 * ten thousand clusters costs twenty calls, and a change is seen by the next run. Nothing is held between runs.
 */
export class LabelledSecrets implements CredentialSource {
  readonly scheme: string;
  readonly #options: Options;
  #reading: { readonly entries: Promise<Entries>; readonly timer: NodeJS.Timeout } | undefined;
  readonly #stop = new AbortController();

  constructor(options: Options) {
    this.scheme = options.scheme;
    this.#options = options;
  }

  async resolve(reference: string): Promise<Credential | 'absent'> {
    const { namespace, name } = splitName(reference);
    const entry = (await this.#entries()).get(`${namespace}/${name}`);
    if (entry === undefined) return 'absent';
    if (entry.credential instanceof CredentialRefused) throw entry.credential;
    return entry.credential;
  }

  async *inventory(): AsyncIterable<InventoryItem> {
    for (const { item } of (await this.#entries()).values()) if (item !== undefined) yield item;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#reading?.timer);
    this.#reading = undefined;
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

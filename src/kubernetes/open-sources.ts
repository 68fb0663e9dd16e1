import { z } from 'zod';
import type { CredentialSource } from './credential-source.ts';
import { DirectorySource } from './sources/directory.ts';

/** Where credentials of clusters come from. Plain values: any process can open its sources from them. */
export const CredentialSettings = z.strictObject({
  /** A folder of kubeconfig files. */
  directory: z.string().min(1).optional(),
});
export type CredentialSettings = z.output<typeof CredentialSettings>;

/** All sources that are configured, and how to close them. */
export interface OpenSources {
  readonly sources: readonly CredentialSource[];
  close(): Promise<void>;
}

/** @throws SourceUnreadable where the management cluster's own access cannot be read. */
export async function openSources({ directory }: CredentialSettings): Promise<OpenSources> {
  const sources = directory === undefined ? [] : [new DirectorySource(directory)];
  const close = async () => {
    await Promise.all(sources.map((source) => source.close()));
  };
  return { sources, close };
}

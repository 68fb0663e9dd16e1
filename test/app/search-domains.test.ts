import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchDomains } from '../../src/app/search-domains.ts';

const INSIDE = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'search-domains-'));
  file = join(folder, 'resolv.conf');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the search domains of the ledger', () => {
  test('are those of the resolver if the ledger runs in a cluster', async () => {
    await writeFile(
      file,
      'nameserver 10.96.0.10\nsearch ledger.svc.cluster.local svc.cluster.local. cluster.local\noptions ndots:5\n',
    );
    const domains = ['ledger.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];
    expect(searchDomains(INSIDE, file)).toEqual(domains);
  });

  test('are none if the ledger does not run in a cluster', async () => {
    await writeFile(file, 'search corp.example.com\n');
    expect(searchDomains({}, file)).toEqual([]);
  });

  test('are none if the resolver has none or its settings cannot be read, and no text that is not a domain', async () => {
    expect(searchDomains(INSIDE, join(folder, 'missing'))).toEqual([]);
    await writeFile(file, 'nameserver 10.96.0.10\n');
    expect(searchDomains(INSIDE, file)).toEqual([]);
    await writeFile(file, 'search a b/c . d..e\n');
    expect(searchDomains(INSIDE, file)).toEqual(['a']);
  });
});

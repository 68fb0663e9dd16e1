import openapiTS, { astToString, COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';
import { expect, test } from 'vitest';
import { ledgerForTest } from '../support/ledger.ts';

test('docs/openapi.d.ts has the types of the contract, from which @cluster-ledger/client takes its own', async () => {
  const ledger = await ledgerForTest();
  const contract = (await ledger.get('/openapi.json')).body as OpenAPI3;
  // A field with a default can be left out of a request.
  const types = astToString(await openapiTS(contract, { defaultNonNullable: false }));
  expect(types).toContain('ClusterDeletedEvent');
  await expect(COMMENT_HEADER + types).toMatchFileSnapshot('../../docs/openapi.d.ts');
});

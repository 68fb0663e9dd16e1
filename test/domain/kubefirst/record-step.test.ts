import { expect, test } from 'vitest';
import { recordOfSecret } from '../../../src/domain/kubefirst/record-step.ts';

test.each([
  ['kubefirst-cluster-prod', 'prod'],
  ['kubefirst-cluster-kubefirst-clusters', 'kubefirst-clusters'],
  ['kubefirst-clusters', undefined],
])('the Secret %s holds the record %s', (secret, record) => {
  expect(recordOfSecret(secret)).toBe(record);
});

import { expect, test } from 'vitest';
import type { AccountNumber, ClusterNumber } from '../../src/projections/model/interned-numbers.ts';
import type { Position, Revision } from '../../src/util/log-numbers.ts';

const atPosition = (position: Position) => position;
const ofCluster = (cluster: ClusterNumber) => cluster;

test('branded numbers of different kinds are not interchangeable, and plain numbers need no cast', () => {
  const revision: Revision = 1;
  const account: AccountNumber = 1;
  const position: Position = 1;
  // @ts-expect-error A revision is not a position.
  expect(atPosition(revision)).toBe(1);
  // @ts-expect-error An account is not a cluster.
  expect(ofCluster(account)).toBe(1);
  // @ts-expect-error A position is not the number of a cluster.
  expect(ofCluster(position)).toBe(1);
  expect(atPosition(position + 1)).toBe(2);
});

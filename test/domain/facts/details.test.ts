import { expect, test } from 'vitest';
import { detailsAt } from '../../../src/domain/facts/details.ts';

const described = [
  { at: 10, order: 1 },
  { at: 20, order: 2 },
  { at: 30, order: 3 },
];
const said = (order: number) =>
  [undefined, { name: 'one', region: 'eu' }, { region: 'us' }, undefined][order];

test.each([
  [9, {}],
  [10, { name: 'one', region: 'eu' }],
  [19, { name: 'one', region: 'eu' }],
  [20, { name: 'one', region: 'us' }],
  [99, { name: 'one', region: 'us' }],
])('at %i a cluster has each attribute as the latest fact until then says it: %j', (at, details) => {
  expect(detailsAt(described, at, said)).toEqual(details);
});

import { expect, test } from 'vitest';
import { LOCAL_OPERATOR, permissionsOf, ROLES } from '../../../src/domain/access/caller.ts';

test('there are five roles, of which only the operator may backdate, transfer and correct', () => {
  expect(ROLES).toEqual(['producer', 'billing', 'auditor', 'operator', 'customer']);
  for (const role of ROLES) {
    const may = role === 'operator';
    expect(permissionsOf({ role }), role).toEqual({ mayBackdate: may, mayTransfer: may, mayCorrect: may });
  }
});

test('the caller of a ledger without keys is the operator at the loopback address', () => {
  expect(LOCAL_OPERATOR).toEqual({ actor: 'loopback', role: 'operator' });
});

import { expect, test } from 'vitest';
import { failed, Refuted } from '../../../src/audit/verify/outcome.ts';

test('what a check refutes is the failure of a verification, with its reason', () => {
  const refuted = new Refuted('seal', 'it is not whole');
  expect(failed(refuted)).toEqual({ ok: false, check: 'seal', why: 'it is not whole' });
  expect(refuted.name).toBe('Refuted');
});

test('any other error is thrown on', () => {
  const error = new Error('not foreseen');
  expect(() => failed(error)).toThrow(error);
});

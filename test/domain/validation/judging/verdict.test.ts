import { describe, expect, test } from 'vitest';
import {
  hasAnswered,
  isAmbiguous,
  isBad,
  saysNothing,
  VERDICT_CODES,
  type VerdictState,
} from '../../../../src/domain/validation/judging/verdict.ts';

const seen = (state: VerdictState, codes: readonly string[]) => codes.map((code) => [state, code] as const);
const answers = seen('alive', [
  'ok',
  'degraded',
  'forbidden',
  'unauthorized',
  'not-logged-in',
  'throttled',
  'certificate-expired',
  'certificate-not-yet-valid',
]);
const bad = [
  ...seen('unreachable', [
    'refused',
    'no-route',
    'name-not-found',
    'tls-mismatch',
    'not-kubernetes',
    'identity-mismatch',
  ]),
  ...seen('unknown', ['timeout', 'reset', 'dns-failure', 'tls-handshake', 'bad-answer']),
];
const silent = [
  ...seen('unverifiable', [
    'no-credential',
    'credential-refused',
    'address-refused',
    'internal-name',
    'source-unreadable',
    'network-down',
    'prober-failed',
  ]),
  ...seen('unknown', ['front']),
];

describe('a verdict', () => {
  test.each(answers)('says that the cluster answered: %s %s', (state, code) => {
    const verdict = { state, code };
    expect([hasAnswered(verdict), isBad(verdict), saysNothing(verdict)]).toEqual([true, false, false]);
  });

  test.each(bad)('is a step toward the conclusion that the cluster is gone: %s %s', (state, code) => {
    const verdict = { state, code };
    expect([hasAnswered(verdict), isBad(verdict), saysNothing(verdict)]).toEqual([false, true, false]);
  });

  test.each(silent)('says nothing about the cluster: %s %s', (state, code) => {
    const verdict = { state, code };
    expect([hasAnswered(verdict), isBad(verdict), saysNothing(verdict)]).toEqual([false, false, true]);
  });

  test('is neither good nor bad if a front refused the ledger', () => {
    const verdict = { state: 'alive', code: 'front' } as const;
    expect([hasAnswered(verdict), isBad(verdict), saysNothing(verdict)]).toEqual([false, false, false]);
  });

  test('leaves open whether the cluster is gone only after a handshake of TLS that failed', () => {
    const ambiguous = [...answers, ...bad, ...silent].filter(([, code]) => isAmbiguous({ code }));
    expect(ambiguous).toEqual([
      ['unreachable', 'tls-mismatch'],
      ['unknown', 'tls-handshake'],
    ]);
  });

  test('has one of the listed codes', () => {
    const all = Object.entries(VERDICT_CODES).flatMap(([state, codes]) => seen(state as VerdictState, codes));
    const known = [...answers, ['alive', 'front'], ...bad, ...silent].map(String);
    expect(all.map(String).sort()).toEqual(known.sort());
  });
});

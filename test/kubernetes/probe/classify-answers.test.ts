import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answers, classify } from '../../../src/kubernetes/probe/classify-answers.ts';
import { ProbeFailure } from '../../../src/kubernetes/probe/probe-failure.ts';

const reset = new ProbeFailure('unknown', 'reset', 'the connection was closed before the response');
const asked = { isVouchedFor: false, isAnonymous: false };
const version = { status: 200, body: '{"gitVersion":"v1.33.4"}' };
const status = (code: number) => ({ status: code, body: '{"kind":"Status","apiVersion":"v1"}' });

describe('what follows from answers', () => {
  test.each<[string, Answers, string]>([
    ['a version alone', { version }, 'alive ok'],
    [
      'a page that is not ready, then a version',
      { readyz: { status: 500, body: 'no' }, version },
      'alive degraded',
    ],
    [
      'a refusal to say the version',
      { readyz: { status: 503, body: '' }, version: status(403) },
      'alive degraded',
    ],
    ['not known, whatever else', { readyz: status(403), version: status(401) }, 'alive unauthorized'],
    ['no namespace kube-system', { version, kubeSystem: status(404) }, 'alive ok'],
    [
      'a version of something else',
      { version: { status: 200, body: '{"version":"8.1"}' } },
      'unreachable not-kubernetes',
    ],
    [
      'a version that is not text',
      { version: { status: 200, body: '{"gitVersion":1}' } },
      'unreachable not-kubernetes',
    ],
    ['a version in a failure', { version: { ...version, status: 500 } }, 'unknown front'],
    ['a list', { version: { status: 200, body: '[{"gitVersion":"v1.2"}]' } }, 'unreachable not-kubernetes'],
    ['nothing', {}, 'unreachable not-kubernetes'],
  ])('%s', (_, answers, expected) => {
    const { state, code } = classify(answers, undefined, asked);
    expect(`${state} ${code}`).toBe(expected);
  });

  test('a later failure does not revoke proof of an API server; without proof the failure decides', () => {
    expect(classify({ version }, reset, asked).state).toBe('alive');
    expect(classify({ readyz: { status: 200, body: 'ok' } }, reset, asked)).toMatchObject({
      state: 'unknown',
      code: 'reset',
    });
  });

  test('whatever is answered, there is a verdict, nothing of the answer is in it, and alive needs a word of Kubernetes', () => {
    const body = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.json(),
      fc.constantFrom(
        '{"kind":"Namespace","metadata":null}',
        '{"metadata":{"uid":{}}}',
        '{"__proto__":{"kind":"Status"}}',
      ),
    );
    const answer = fc.option(fc.record({ status: fc.integer({ min: 100, max: 599 }), body }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(answer, answer, answer, (readyz, second, kubeSystem) => {
        const given = { readyz, version: second, kubeSystem };
        const answers = Object.fromEntries(
          Object.entries(given).filter(([, each]) => each !== undefined),
        ) as Answers;
        const conclusion = classify(answers, undefined, asked);
        const bodies = Object.values(answers).map((each) => each.body);
        if (conclusion.state === 'alive')
          expect(bodies.some((each) => /gitVersion|Status|Too many requests/.test(each))).toBe(true);
        for (const each of bodies)
          if (each.length > 20) expect(JSON.stringify(conclusion)).not.toContain(each);
      }),
      { numRuns: 1_000 },
    );
  });
});

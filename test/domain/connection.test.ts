import { expect, test } from 'vitest';
import { canonicalReference, parseReference } from '../../src/domain/connection.ts';

test.each([
  ['argocd:argocd/c1', 'argocd', 'argocd/c1'],
  ['argocd/argocd/c1', 'argocd', 'argocd/c1'],
  ['a:b', 'a', 'b'],
  ['a1-b:x:y', 'a1-b', 'x:y'],
])('the reference %s has the scheme %s and the name %s', (reference, scheme, name) => {
  expect(parseReference(reference)).toEqual({ scheme, name });
  expect(canonicalReference(reference)).toBe(`${scheme}:${name}`);
});

test.each(['', 'argocd', 'argocd:', ':c1', '1a:c1', 'A:c1', 'a_b:c1', '-a:c1', ' a:c1'])(
  '%o is not a reference and is compared as it is',
  (text) => {
    expect(parseReference(text)).toBeUndefined();
    expect(canonicalReference(text)).toBe(text);
  },
);

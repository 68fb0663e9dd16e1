import { expect, test } from 'vitest';
import { isOpenToOthers } from '../../src/util/private-file.ts';

const ROOT = 0;
const SELF = 65_532;

test.each([
  ['of this user, for the user only', SELF, 0o600, false],
  ['of this user, readable by the group', SELF, 0o640, true],
  ['of this user, readable by everybody', SELF, 0o604, true],
  ['of root, readable by the group, as Kubernetes mounts a Secret', ROOT, 0o440, false],
  ['of root, writable by the group', ROOT, 0o460, true],
  ['of root, readable by everybody', ROOT, 0o444, true],
])('a file %s is recognized', (_, uid, mode, isOpen) => {
  expect(isOpenToOthers({ uid, mode: 0o100_000 | mode }, SELF)).toBe(isOpen);
});

test('root itself keeps its files private', () => {
  expect(isOpenToOthers({ uid: ROOT, mode: 0o640 }, ROOT)).toBe(true);
});

import { expect, test } from 'vitest';
import { MalformedCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { LeafError } from '../../src/audit/leaf.ts';
import { LogKeyError } from '../../src/audit/log-keys.ts';
import { MalformedNote, UnknownSigners, UntrustedNote } from '../../src/audit/note.ts';
import { MalformedKey } from '../../src/audit/note-key.ts';
import { MalformedBundle } from '../../src/audit/tiles.ts';
import { BlockMissing, LeavesChanged } from '../../src/audit/tree.ts';

test.each([
  [new LeafError('why'), 'LeafError: why'],
  [new LeavesChanged('why'), 'LeavesChanged: why'],
  [new LogKeyError('why'), 'LogKeyError: why'],
  [new MalformedBundle('why'), 'MalformedBundle: why'],
  [new MalformedCheckpoint('why'), 'MalformedCheckpoint: why'],
  [new MalformedKey('why'), 'MalformedKey: why'],
  [new MalformedNote('why'), 'MalformedNote: why'],
  [new UnknownSigners('why'), 'UnknownSigners: why'],
  [new UntrustedNote('why'), 'UntrustedNote: why'],
  [new BlockMissing(16, 8), 'BlockMissing: the hashes of 8 leaves from 16 on are not in memory'],
])('an error of the audit log begins with its kind: %s', (error, text) => {
  expect(String(error)).toBe(text);
});

import { describe, expect, test } from 'vitest';
import { MAX_EVIDENCE_BYTES, readEvidenceFile } from '../../../src/audit/verify/evidence-file.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';

/** Returns why bytes are refused, after the check that refuses them. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    readEvidenceFile(bytes);
    return undefined;
  } catch (error) {
    const { check, why } = failed(error);
    return `${check}: ${why}`;
  }
}

describe('the bytes of an evidence file', () => {
  test('are refused if they are too many', () => {
    expect(refusal(new Uint8Array(MAX_EVIDENCE_BYTES + 1))).toBe(
      'format: the file has 201326593 bytes; at most 201326592 are read',
    );
  });

  test('are refused if they have more than 16 million values', () => {
    const values = '[],{},'.repeat(4_000_000);
    expect(refusal(Buffer.from(`${values}[`))).toBe('format: the file has more than 16000000 values');
    expect(refusal(Buffer.from(values))).toMatch(/^format: the file is not JSON in UTF-8: /);
  });
});

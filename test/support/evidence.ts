import { hash } from 'node:crypto';
import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { sealText } from '../../src/audit/evidence/format.ts';
import type { TestLedger } from './ledger.ts';

/** Bytes of an evidence file as the ledger gives it. */
export async function evidenceOf(
  ledger: TestLedger,
  accountId: string,
  period: string,
  since?: number,
): Promise<Buffer> {
  const more = since === undefined ? '' : `&since=${since}`;
  const { status, text } = await ledger.get(`/v1/accounts/${accountId}/evidence?period=${period}${more}`);
  if (status !== 200) throw new Error(`no evidence: ${status} ${text}`);
  return Buffer.from(text);
}

/** The keys that a ledger publishes. */
export async function publishedKeys(ledger: TestLedger): Promise<string[]> {
  return (await ledger.get('/log/key')).text.trim().split('\n');
}

// biome-ignore lint/suspicious/noExplicitAny: a forger changes values of every shape.
export type Parsed = any;

/** A changed file with a new seal: of the ledger itself, as if it lied, or of another signer. */
export function forged(
  file: Buffer,
  change: (evidence: Parsed) => void,
  sign: (text: string) => string,
): Buffer {
  const { evidence } = JSON.parse(file.toString('utf8'));
  change(evidence);
  const digest = hash('sha256', canonicalJson(evidence), 'buffer');
  const { origin, accountId, period } = evidence;
  const seal = sign(sealText(origin, accountId, period, digest));
  return Buffer.from(`${canonicalJson({ evidence, seal })}\n`);
}

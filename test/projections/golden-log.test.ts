/** Logs as each release recorded them. They never change: every later release must read the same bills from them. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leafHash, leafText } from '../../src/audit/leaf.ts';
import { MerkleTree } from '../../src/audit/tree.ts';
import { periodWindow } from '../../src/domain/time.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { accountUsage } from '../../src/projections/queries/account-usage.ts';
import { closedQuestion, statementsInTurns, tally } from '../../src/projections/queries/period-statements.ts';

interface Expected {
  readonly size: number;
  /** Hash of the tree of the log, in base64. */
  readonly root: string;
  /** Digests of the statements by closed period. */
  readonly statements: Readonly<Record<string, string>>;
  /** Cluster seconds by period and account. */
  readonly clusterSeconds: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const folder = new URL('../golden/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');
const shapes = readdirSync(folder).filter((name) => /^v\d+$/.test(name));

describe.each(shapes)('a log of the shape %s', (shape) => {
  const log = read(`${shape}/log.ndjson`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LogEvent);
  const expected = JSON.parse(read(`${shape}/expected.json`)) as Expected;
  const model = new LedgerModel();
  for (const event of log) model.apply(event);

  test('has the same root hash', () => {
    const tree = new MerkleTree();
    for (const event of log) tree.append(leafHash(leafText(event)));
    expect([tree.size, Buffer.from(tree.root()).toString('base64')]).toEqual([expected.size, expected.root]);
  });

  test('gives the same statements to the byte', async () => {
    for (const [period, digest] of Object.entries(expected.statements)) {
      const question = closedQuestion(model, period);
      if (question === undefined) throw new Error(`${period} is not closed`);
      expect((await tally(statementsInTurns(model, question))).statementsDigest).toBe(digest);
    }
  });

  test('gives the same usage', () => {
    for (const [period, accounts] of Object.entries(expected.clusterSeconds)) {
      const window = periodWindow(period);
      for (const [account, seconds] of Object.entries(accounts)) {
        const question = { window, through: window.to, asOf: model.position, byDay: false };
        expect(accountUsage(model, account, question).usage.clusterSeconds).toBe(seconds);
      }
    }
  });

  test('stops a cluster that has a fact of a later release, says so, and leaves the others', () => {
    const later = new LedgerModel();
    for (const event of log) later.apply(event);
    const [first] = log as [LogEvent];
    const type = first.type.replace(/\.v\d+$/, '.v99');
    later.apply({
      ...first,
      type,
      position: later.position + 1,
      revision: 5,
      id: first.id.replace('2', '3'),
    });
    const halted = [...later.unreadableClusters].map(([cluster, { why }]) => [
      later.clusters.text(cluster),
      why,
    ]);
    expect(halted).toEqual([[first.stream.slice('cluster-'.length), expect.stringContaining('99')]]);
  });
});

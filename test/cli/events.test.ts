import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deleted, registered } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { folderForTest, run } from './program.ts';

const ledger = sharedLedger();
const to = () => ['--url', `http://127.0.0.1:${ledger().port}`];
const append = (file: string, input = '') => run(['events', 'append', file, '--json', ...to()], { input });
const resultsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('events append', () => {
  test('posts more events than a batch holds, in order, and again as duplicates', async () => {
    const events = Array.from({ length: 1_201 }, (_, i) =>
      registered(`many-${i}`, '2026-01-01T00:00:00.000Z'),
    );
    const file = join(await folderForTest(), 'facts.ndjson');
    await writeFile(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const first = await append(file);
    expect(first).toMatchObject({ code: 0, stderr: '1201 appended\n' });
    expect(resultsOf(first.stdout).map(({ clusterId }) => clusterId)).toEqual(
      events.map(({ subject }) => subject),
    );
    expect((await append(file)).stderr).toBe('1201 duplicate\n');
  });

  test('records the other events and ends with 1 if one is rejected', async () => {
    const good = registered('good', '2026-01-01T00:00:00.000Z');
    const events = [good, { ...good, time: '2026-01-02T00:00:00.000Z' }, { nonsense: true }];
    const { code, stdout, stderr } = await run(['events', 'append', '-', ...to()], {
      input: JSON.stringify(events),
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '1 appended, 2 rejected\n' });
    expect(stdout).toMatch(/^appended +\d+ +good/m);
    expect(stdout).toMatch(/^rejected .*The event id was already used for other content/m);
  });

  test('ends with 2 and names the line if the file is not valid JSON', async () => {
    const { code, stderr } = await append('-', '{}\n{"specversion"');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'line 2 of stdin is not valid JSON; expected a CloudEvent, an array of them, or one per line',
    );
  });
});

describe('events', () => {
  test('tail shows the newest facts, or the facts after a position', async () => {
    const [a, b] = await ledger().record(
      registered('tail', '2026-01-01T00:00:00.000Z'),
      deleted('tail', '2026-02-01T00:00:00.000Z'),
    );
    const before = String(Number(a?.position) - 1);
    const [table, lines, all] = await Promise.all([
      run(['events', 'tail', '-n', '3', ...to()]),
      run(['events', 'tail', '--after', before, '--json', ...to()]),
      run(['events', 'tail', '--after', '0', '--json', ...to()]),
    ]);
    expect(
      table.stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/ +/)[2]),
    ).toEqual(['ClusterRegistered', 'ClusterDeleted', 'BillingStopped']);
    expect(
      resultsOf(lines.stdout)
        .map(({ ledgereventid }) => ledgereventid)
        .slice(0, 2),
    ).toEqual([a?.eventId, b?.eventId]);
    expect(resultsOf(all.stdout).length).toBeGreaterThan(1_201);
  });

  test('show prints one fact, and ends with 1 if there is none', async () => {
    const [posted] = await ledger().record(registered('one', '2026-01-01T00:00:00.000Z'));
    const id = posted?.eventId as string;
    const [people, programs, absent] = await Promise.all([
      run(['events', 'show', id, ...to()]),
      run(['events', 'show', id, '--json', ...to()]),
      run(['events', 'show', id.replace(/^./, (digit) => (digit === '0' ? '1' : '0')), ...to()]),
    ]);
    expect(people.stdout).toMatch(/^cluster +one$/m);
    expect(JSON.parse(programs.stdout)).toMatchObject({ ledgereventid: id, subject: 'one' });
    expect(absent.code).toBe(1);
  });
});

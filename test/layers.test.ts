import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** Returns the report of dependency-cruiser for a copy of the source. */
async function violations(folder: string): Promise<string> {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src', 'web', 'packages'];
  try {
    return (await run(process.execPath, [program, ...options], { cwd: folder })).stdout;
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

/** A rule, the layer that a forbidden import is planted in, and the import. */
const PLANTED = [
  ['util-imports-nothing', 'util', "import '../domain/time.ts';"],
  ['config-imports-values-only', 'config', "import '../jobs/schedule.ts';"],
  ['config-imports-values-only', 'config', "import '../audit/note.ts';"],
  ['domain-is-pure', 'domain', "import 'node:fs';"],
  ['domain-is-pure', 'domain', "import '../eventstore/store-errors.ts';"],
  ['eventstore-knows-no-layer', 'eventstore', "import '../domain/time.ts';"],
  ['audit-reads-the-log-only', 'audit', "import '../domain/time.ts';"],
  ['audit-reads-the-log-only', 'audit/verify', "import '../../domain/time.ts';"],
  ['verify-runs-nothing-of-the-ledger', 'audit/verify', "import '../tree.ts';"],
  ['audit-reads-the-log-only', 'audit', "import '../ledger/ledger.ts';"],
  ['projections-read-facts-only', 'projections', "import '../ledger/ledger.ts';"],
  ['delivery-sends-what-is-recorded', 'delivery', "import '../ledger/ledger.ts';"],
  ['ledger-is-the-write-path-only', 'ledger', "import '../projections/projections.ts';"],
  ['kubernetes-knows-the-domain-only', 'kubernetes', "import '../ledger/ledger.ts';"],
  [
    'server-side-of-the-prober-holds-no-credentials',
    'kubernetes/prober',
    "import '../credentials/credential.ts';",
  ],
  [
    'server-side-of-the-prober-holds-no-credentials',
    'kubernetes/prober',
    "import '../management/management-cluster.ts';",
  ],
  [
    'only-the-probing-process-opens-credentials',
    'usecases',
    "import '../kubernetes/credentials/credential.ts';",
  ],
  ['only-the-probing-process-opens-credentials', 'app', "import '../kubernetes/probe/probe.ts';"],
  ['use-cases-know-no-entry-point', 'usecases', "import '../http/server/problem.ts';"],
  ['api-holds-schemas-only', 'api', "import '../ledger/ledger.ts';"],
  ['entry-points-do-not-import-each-other', 'http', "import '../jobs/auto-close.ts';"],
  ['entry-points-do-not-import-each-other', 'jobs', "import '../http/server/problem.ts';"],
  ['entry-points-do-not-import-each-other', 'cli', "import '../http/server/server.ts';"],
  ['web-sees-only-the-contract', '../web/ui', "import '../../src/domain/time.ts';"],
  [
    'the-browser-verifies-as-the-command-line-does',
    '../web/verifier',
    "import '../../src/audit/evidence/build-evidence.ts';",
  ],
  ['the-client-stands-alone', '../packages/client/src', "import '../../../src/domain/time.ts';"],
  ['the-client-stands-alone', '../packages/client/src', "import 'zod';"],
  ['no-unresolvable', 'http', "import './nowhere.ts';"],
] as const;

describe('the dependency rules of the layers', () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'ledger-layers-'));
    for (const part of [
      'src',
      'web',
      'packages',
      'docs/openapi.d.ts',
      '.dependency-cruiser.cjs',
      'package.json',
      'tsconfig.json',
    ]) {
      await cp(join(root, part), join(copy, part), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  test('hold for the source', async () => {
    expect(await violations(copy)).toMatch(/no dependency violations found \([1-9]\d+ modules/);
  });

  describe('reject each planted import', () => {
    let report: string;
    beforeAll(async () => {
      await Promise.all(
        PLANTED.map(([, layer, line], i) =>
          writeFile(join(copy, 'src', layer, `planted-${i}.ts`), `${line}\n`),
        ),
      );
      report = await violations(copy);
    });

    test.each(PLANTED.map(([rule, layer], i) => [rule, layer, i] as const))(
      '%s rejects an import planted in %s (%i)',
      (rule, layer, i) => {
        expect(report).toContain(`${rule}: ${join('src', layer, `planted-${i}.ts`)}`);
      },
    );
  });
});

import { expect, test, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { run, words } from './program.ts';

const ID = '7c2c6e5e-0d51-5b5a-9c1f-2f7b3f6a1c55';

test.each([
  ['', /^Usage: cluster-ledger /],
  [
    'usge',
    /unknown command 'usge'\n\(Did you mean usage\?\)\n {2}commands of cluster-ledger: serve, .*usage/,
  ],
  ['--url x', /unknown option '--url'/],
  ['serve now', /too many arguments for 'serve'. Expected 0 arguments but got 1: now/],
  ['demo --seconds 1.5', /argument '1\.5' is invalid\. It must be a whole number from 1 to 999999/],
  ['period', /^Usage: cluster-ledger period /],
  [
    'period lst',
    /unknown command 'lst'\n\(Did you mean list\?\)\n {2}commands of cluster-ledger period: list, show, close, statements/,
  ],
  ['period list --as-of yesterday', /argument 'yesterday' is invalid\. It must be a position in the log/],
  ['period show 2026-13', /value '2026-13' is invalid for argument 'period'\. It must be a month, YYYY-MM/],
  [
    'period show',
    /missing required argument 'period'\n {2}usage: cluster-ledger period show \[options\] <period>/,
  ],
  ['period statements 2026-01 a/b\u0007', /value 'a\/b\\u\{7\}' is invalid for argument 'account'/],
  [
    'period close 2026-01 --dryrun',
    /unknown option '--dryrun'\n\(Did you mean --dry-run\?\)\n.*\n {2}options: --early, --dry-run, --yes/,
  ],
  ['period close 2026-01', /refusing to run without confirmation: stdin is not a terminal; pass --yes/],
  ['period close 2026-01 --yes --store sqlite:x.db', /closing a period needs a running ledger: pass --url/],
  ['usage', /no period given: pass --period YYYY-MM, or --from and --to/],
  ['usage --from 2026-01-01T00:00:00Z', /--from and --to must be used together; only --from was given/],
  [
    'usage --period 2026-01 --from 2026-01-01T00:00:00Z',
    /'--period <month>' cannot be used with option '--from <instant>'/,
  ],
  ['usage --period 2026-01 --json --csv', /'--csv' cannot be used with option '--json'/],
  ['usage --period 2026-01 --through 2026-02-30T00:00:00Z', /It must be an RFC 3339 time/],
  [
    'usage --period 2026-01 --url ftp://x',
    /--url must be a URL with http or https, such as .*; given "ftp:\/\/x"/,
  ],
  [
    'usage --period 2026-01 --url http://me:secret@x',
    /^--url must not contain a user or password: pass --token\n$/,
  ],
  ['usage --period 2026-01 --url http://x --store sqlite:y', /cannot be used with option '--url/],
  [
    'usage --period 2026-01 --store mongodb://x',
    /--store must be sqlite:<file> or esdb:\/\/…; given "mongodb:\/\/x"/,
  ],
  ['usage --period 2026-01 --context prod', /unknown context "prod"; no context is saved/],
  ['usage --period 2026-01 --namespace other', /^--namespace requires --store/],
  ['explain --period 2026-01', /missing required argument 'account'/],
  ['clusters delete c1', /refusing to run without confirmation: stdin is not a terminal; pass --name/],
  ['clusters cancel-deletion c1', /missing required argument 'deletion'/],
  ['keys create --name x', /required option '--role <role>' not specified/],
  ['keys create --name x --role root', /Allowed choices are producer, billing, auditor, operator, customer/],
  ['keys create --name x --role billing --days 366', /It must be a whole number from 1 to 365/],
  ['keys revoke clk_000000000000_x --yes', /It must be the id of a key, 12 of a-z 0-9, without its secret/],
  ['replay acme', /no period given/],
  ['diff acme --period 2026-01', /required option '--before <position\|instant>' not specified/],
  ['what-if acme --period 2026-01', /no change given: pass --add FILE or --remove EVENT/],
  [
    'what-if acme --period 2026-01 --remove e1',
    /argument 'e1' is invalid\. It must be the event id of the ledger \(a UUID\), or the position/,
  ],
  ['evidence acme 2026-01', /required option '-o, --output <file>' not specified/],
  ['verify', /nothing to verify: pass an evidence file, --url, --context or --store/],
  ['verify file.json', /no key given: pass --key/],
  ['verify --url http://127.0.0.1:1', /no key given: pass --key/],
  [
    'verify file.json --key nowhere',
    /--key nowhere is not a verifier key, <name>\+<id>\+<base64>, and cannot read nowhere/,
  ],
  [
    'verify file.json --key log+00000000+AAAA',
    /--key log\+00000000\+AAAA is not a valid key: its id or its base64 is wrong/,
  ],
  ['verify file.json --store sqlite:x', /an evidence file cannot be verified with --store/],
  ['verify --store sqlite:x --checkpoint y', /--checkpoint requires --key/],
  ['log', /^Usage: cluster-ledger log /],
  ['log key create', /missing required argument 'origin'/],
  ['log key create a+b', /<origin>: .*a\+b/],
  ['log key rotate', /refusing to run without confirmation: stdin is not a terminal; pass --yes/],
  ['log key retire', /refusing to run without confirmation: stdin is not a terminal; pass --yes/],
  ['log checkpoint now', /too many arguments for 'checkpoint'/],
  ['events tail -n many', /argument 'many' is invalid\. It must be a whole number/],
  [`events show ${ID} more`, /too many arguments for 'show'/],
  ['events append', /missing required argument 'file'/],
  ['validate', /pass --once to probe every cluster now, or --what-if FILE to try a policy/],
  ['validate --once --what-if policy.yaml', /--once and --what-if cannot be used together/],
  ['validate --once --from 2026-01-01T00:00:00Z', /--from and --to require --what-if/],
  ['validate --once --store sqlite:x.db', /probing clusters needs a running ledger: pass --url/],
  ['validate --dry-run', /pass --once/],
  ['validate --what-if policy.yaml', /--what-if requires --from and --to/],
  [
    'validate --what-if p --dry-run --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z',
    /--dry-run requires --once/,
  ],
  ['validate --what-if p --from yesterday', /argument 'yesterday' is invalid\. It must be an RFC 3339 time/],
  ['alerts', /^Usage: cluster-ledger alerts /],
  ['alerts list --state closed', /Allowed choices are open, acknowledged, resolved/],
  ['alerts list --kind fire', /Allowed choices are .*validator-stale/],
  ['alerts list --severity bad', /Allowed choices are critical, warning, info/],
  ['alerts acknowledge', /missing required argument 'id'/],
  ['alerts acknowledge flapping:c1 --store sqlite:x', /unknown option '--store'/],
  [
    'clusters list --status gone',
    /Allowed choices are orphan, voided, deleted, free, pending, stopped, billed/,
  ],
  [
    'clusters list --account a/b\u0007',
    /argument 'a\/b\\u\{7\}' is invalid\. An account id must be 1 to 128 of/,
  ],
  ['clusters show', /missing required argument 'id'/],
  ['config', /^Usage: cluster-ledger config /],
  ['config print all', /too many arguments for 'print'/],
  ['store', /^Usage: cluster-ledger store /],
  ['store backup', /required option '--to <file>' not specified/],
  ['store backup --to x --store mongodb://x', /--store must be sqlite:<file> or esdb/],
  ['store restore', /missing required argument 'backup'/],
  ['store copy --from sqlite:x', /required option '--to <store>' not specified/],
  ['store copy --from x --to sqlite:y', /--from must be sqlite:<file> or esdb:\/\/…; given "x"/],
  ['doctor --store sqlite:x', /unknown option '--store'/],
  ['context set prod', /no ledger given: pass --url or --store/],
  ['context set a/b --url http://x', /value 'a\/b' is invalid for argument 'name'\. It must have 1 to 64 of/],
  ['context use prod', /unknown context "prod"; no context is saved/],
  ['context remove prod', /unknown context "prod"/],
  ['context list all', /too many arguments for 'list'/],
  ['completion tcsh', /Allowed choices are bash, zsh, fish/],
] as const)('"cluster-ledger %s" ends with 2 and prints what is wrong', async (line, message) => {
  const { code, stderr } = await runHere(line);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

/** Runs a command in this process, which is faster, and returns its exit code and its stderr. */
async function runHere(line: string) {
  const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
  const chunks: string[] = [];
  const [stderr, stdout] = (['stderr', 'stdout'] as const).map((name) => vi.spyOn(process[name], 'write'));
  stderr?.mockImplementation((chunk) => chunks.push(String(chunk)) > 0);
  stdout?.mockImplementation(() => {
    throw new Error('an error message must not go to stdout');
  });
  try {
    const code = await runCommand(
      await buildProgram({ out: new Output(), environment }, '0.0.0'),
      words(line),
    );
    return { code, stderr: chunks.join('').replace(/^error: /, '') };
  } finally {
    stderr?.mockRestore();
    stdout?.mockRestore();
  }
}

test('the program, in a process of its own, prints a usage error to stderr and ends with 2', async () => {
  const { code, stdout, stderr } = await run(['usage', '--perid', '2026-01']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    /^error: unknown option '--perid'\n\(Did you mean --period\?\)\n {2}usage: cluster-ledger usage/,
  );
});

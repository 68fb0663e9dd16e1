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
  ['period list --as-of yesterday', /argument 'yesterday' is invalid\. It must be a place in the log/],
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
  ['period close 2026-01', /nobody is there to be asked: give --yes/],
  ['period close 2026-01 --yes --store sqlite:x.db', /a period is closed by a ledger that runs/],
  ['usage', /say what to count: --period YYYY-MM, or --from and --to/],
  ['usage --from 2026-01-01T00:00:00Z', /--from and --to go together; given only --from/],
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
    /^--url must not hold a user or password: give --token\n$/,
  ],
  ['usage --period 2026-01 --url http://x --store sqlite:y', /cannot be used with option '--url/],
  [
    'usage --period 2026-01 --store mongodb://x',
    /--store must be sqlite:<file> or esdb:\/\/…; given "mongodb:\/\/x"/,
  ],
  ['usage --period 2026-01 --context prod', /there is no context "prod": none is saved/],
  ['usage --period 2026-01 --namespace other', /^--namespace goes with a store/],
  ['explain --period 2026-01', /missing required argument 'account'/],
  ['replay acme', /say what to count/],
  ['diff acme --period 2026-01', /required option '--before <position\|instant>' not specified/],
  ['what-if acme --period 2026-01', /say what to suppose: --add FILE or --remove EVENT-ID/],
  ['what-if acme --period 2026-01 --remove e1', /argument 'e1' is invalid\. It must be the id of an event/],
  ['evidence acme 2026-01', /required option '-o, --output <file>' not specified/],
  ['verify', /say what to verify: an evidence file, --url, --context or --store/],
  ['verify file.json', /say which key to trust: --key/],
  ['verify --url http://127.0.0.1:1', /say which key to trust: --key/],
  [
    'verify file.json --key nowhere',
    /--key nowhere is no key in verifier form, <name>\+<id>\+<base64>, and nowhere cannot be read/,
  ],
  [
    'verify file.json --key log+00000000+AAAA',
    /--key log\+00000000\+AAAA is no key: its id or its base64 is wrong/,
  ],
  ['verify file.json --store sqlite:x', /not with --store/],
  ['verify --store sqlite:x --checkpoint y', /say which key has signed the checkpoint: --key/],
  ['log', /^Usage: cluster-ledger log /],
  ['log key rotate', /nobody is there to be asked: give --yes/],
  ['log key retire', /nobody is there to be asked: give --yes/],
  ['log checkpoint now', /too many arguments for 'checkpoint'/],
  ['events tail -n many', /argument 'many' is invalid\. It must be a whole number/],
  [`events show ${ID} more`, /too many arguments for 'show'/],
  ['events append', /missing required argument 'file'/],
  ['validate', /say what to do: --once asks every cluster now, --what-if FILE tries a policy/],
  ['validate --once --what-if policy.yaml', /--once and --what-if do not go together/],
  ['validate --once --from 2026-01-01T00:00:00Z', /--from and --to go with --what-if/],
  ['validate --once --store sqlite:x.db', /clusters are asked by a ledger that runs: give --url/],
  ['validate --dry-run', /say what to do: --once/],
  ['validate --what-if policy.yaml', /--what-if needs --from and --to/],
  [
    'validate --what-if p --dry-run --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z',
    /--dry-run goes with --once/,
  ],
  ['validate --what-if p --from yesterday', /argument 'yesterday' is invalid\. It must be an RFC 3339 time/],
  ['alerts', /^Usage: cluster-ledger alerts /],
  ['alerts list --state closed', /Allowed choices are open, acknowledged, resolved/],
  ['alerts list --kind fire', /Allowed choices are .*validator-stale/],
  ['alerts list --severity bad', /Allowed choices are critical, warning, info/],
  ['alerts acknowledge', /missing required argument 'id'/],
  ['alerts acknowledge flapping:c1 --store sqlite:x', /unknown option '--store'/],
  ['clusters list --status gone', /Allowed choices are orphan, deleted, free, pending, stopped, billed/],
  [
    'clusters list --account a/b\u0007',
    /argument 'a\/b\\u\{7\}' is invalid\. It must be the id of an account/,
  ],
  ['clusters show', /missing required argument 'id'/],
  ['config', /^Usage: cluster-ledger config /],
  ['config print all', /too many arguments for 'print'/],
  ['doctor --store sqlite:x', /unknown option '--store'/],
  ['context set prod', /say where the ledger is: --url or --store/],
  ['context set a/b --url http://x', /value 'a\/b' is invalid for argument 'name'\. It must be 1 to 64 of/],
  ['context use prod', /there is no context "prod": none is saved/],
  ['context remove prod', /there is no context "prod"/],
  ['context list all', /too many arguments for 'list'/],
  ['completion tcsh', /Allowed choices are bash, zsh, fish/],
] as const)('%s is wrong usage, and is told why', async (line, told) => {
  const { code, told: said } = await tried(line);
  expect(code).toBe(2);
  expect(said).toMatch(told);
});

/** Runs a command in this process, since there are so many, and collects what it says on the standard error. */
async function tried(line: string) {
  const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
  const chunks: string[] = [];
  const [stderr, stdout] = (['stderr', 'stdout'] as const).map((name) => vi.spyOn(process[name], 'write'));
  stderr?.mockImplementation((chunk) => chunks.push(String(chunk)) > 0);
  stdout?.mockImplementation(() => {
    throw new Error('nothing but data goes to the standard output');
  });
  try {
    const code = await runCommand(buildProgram({ out: new Output(), environment }, '0.0.0'), words(line));
    return { code, told: chunks.join('').replace(/^error: /, '') };
  } finally {
    stderr?.mockRestore();
    stdout?.mockRestore();
  }
}

test('and so it is for whoever calls the program', async () => {
  const { code, stdout, stderr } = await run(['usage', '--perid', '2026-01']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    /^error: unknown option '--perid'\n\(Did you mean --period\?\)\n {2}usage: cluster-ledger usage/,
  );
});

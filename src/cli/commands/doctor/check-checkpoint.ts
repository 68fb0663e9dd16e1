import { parseCheckpoint } from '../../../audit/checkpoint-text.ts';
import { openNote } from '../../../audit/note.ts';
import { NoteVerifier } from '../../../audit/note-key.ts';
import { type Client, readBody } from '../../client/client.ts';
import { send } from '../../client/requests.ts';
import { plural } from '../../terminal/text.ts';
import { type Finding, failed, ok, skipped } from './finding.ts';

/** Maximum age of a checkpoint while events arrive: one day, the longest interval that the settings allow. */
const MAX_CHECKPOINT_AGE_S = 86_400;

/** Checks that a key of the ledger signed the newest checkpoint, and that the checkpoint is recent. */
export async function checkCheckpoint(client: Client): Promise<Finding> {
  const check = 'checkpoint';
  const plain = async (path: string) => {
    const response = await send(client, { path, accept: 'text/plain' });
    return readBody(client, () => response.text());
  };
  const [note, keys, metrics] = [
    await plain('/log/checkpoint'),
    await plain('/log/key'),
    await plain('/metrics'),
  ];
  let size: number;
  try {
    const verifiers = keys
      .trim()
      .split('\n')
      .map((key) => NoteVerifier.parse(key));
    size = parseCheckpoint(openNote(note, verifiers).text).size;
  } catch (error) {
    return failed(
      check,
      `the newest checkpoint is not valid: ${(error as Error).message}`,
      'Do not change the store. Check whether the key of the ledger was replaced without `log key rotate`.',
    );
  }
  const age = metricValue(metrics, 'ledger_log_checkpoint_age_seconds');
  const events = metricValue(metrics, 'ledger_log_size');
  if (age === undefined || events === undefined)
    return skipped(check, `signed, ${plural(size, 'event')}; age unknown`);
  const detail = `signed ${formatDuration(age)} ago, ${size} of ${plural(events, 'event')}`;
  if (events <= size || age <= MAX_CHECKPOINT_AGE_S) return ok(check, detail);
  return failed(
    check,
    detail,
    'Sign one now with `cluster-ledger log checkpoint --sign`, and check the log of the ledger for the cause.',
  );
}

function metricValue(metrics: string, name: string): number | undefined {
  const line = metrics.split('\n').find((text) => text.startsWith(`${name} `));
  const value = Number(line?.slice(name.length));
  return Number.isFinite(value) ? value : undefined;
}

/** Formats a duration in its largest unit: `3 h`. */
function formatDuration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const;
  const [size, unit] = units.find(([least]) => seconds >= 2 * least) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

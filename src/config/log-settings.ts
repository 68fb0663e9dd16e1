import { z } from 'zod';
import { isKeyName } from '../util/key-name.ts';

/** Settings of the signed log. */
export const LogSettings = z
  .strictObject({
    origin: z
      .string()
      .refine(isKeyName, 'must be the name of a log, such as ledger.example.com/main, without spaces and +')
      .optional()
      .describe(
        'Name of the log in its checkpoints: the address of its resources without the scheme, such as `ledger.example.com/log`. Decide before the first start: it can never be changed, because all checkpoints, keys and witnesses name it. By default `cluster-ledger.local/<ledger id>`.',
      ),
    key: z
      .string()
      .min(1, 'must be the keys of the log')
      .optional()
      .describe(
        'The keys that sign the log, separated by white space. By default the keys in `audit.keyFile`.',
      ),
    keyFile: z
      .string()
      .min(1, 'must be a file')
      .optional()
      .describe(
        'File of the keys that sign the log. By default `log-key` in the data folder, which the first start creates.',
      ),
    acceptKey: z
      .string()
      .regex(/^[0-9a-f]{8}$/, 'must be the id of a key, 8 hexadecimal digits')
      .optional()
      .describe(
        'Id of the current key. Set it if the earlier keys are lost: the log then continues with the current key, on the word of an operator.',
      ),
    checkpointSeconds: z
      .int()
      .min(1, 'must be at least 1 second')
      .max(86_400, 'must be at most 86400 seconds, a day')
      .default(3_600)
      .describe('Maximum time between two checkpoints while events arrive, in seconds.'),
    witnesses: z
      .array(
        z.strictObject({
          url: z.url({ protocol: /^https?$/, error: 'must be the http or https URL of a witness' }),
          key: z
            .string()
            .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'must be a verifier key, <name>+<id>+<key>'),
        }),
      )
      .max(16)
      .default([])
      .describe(
        'Witnesses that get new checkpoints and cosign them (C2SP tlog-witness), as a list of `url`, the prefix of `add-checkpoint`, and `key`, the verifier key of the witness.',
      ),
    treeMinHeightInMemory: z
      .int()
      .min(0, 'must be from 0 to 8')
      .max(8, 'must be from 0 to 8')
      .default(0)
      .describe(
        'Height of the lowest nodes of the Merkle tree that stay in memory, 0 to 8. The tree takes 64 bytes per event divided by 2 to that power. Above 0 a proof reads a part of the log again, and the evidence of a large account many parts.',
      ),
  })
  .refine(({ key, keyFile }) => key === undefined || keyFile === undefined, {
    path: ['key'],
    error: 'must not be given together with keyFile',
  });
export type LogSettings = z.output<typeof LogSettings>;

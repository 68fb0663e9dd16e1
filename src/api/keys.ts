import { z } from 'zod';
import { KEY_STATES, KeyId, KeyName } from '../domain/access/access-key.ts';
import { ROLES } from '../domain/access/caller.ts';
import { InstantOut } from './values.ts';

const key = {
  id: KeyId.describe('Public part of the key, and the actor of everything that is done with it.'),
  name: KeyName,
  role: z.enum(ROLES),
  accountId: z.string().optional().describe('The account that a customer is bound to.'),
  state: z.enum(KEY_STATES),
  createdAt: InstantOut,
  createdBy: z.string(),
  expiresAt: InstantOut,
  lastUsedAt: InstantOut.nullable().describe(
    'Last use; null if there was none. Uses in other processes are known to the hour.',
  ),
  revokedAt: InstantOut.optional(),
  revokedBy: z.string().optional(),
  revocationReason: z.string().optional(),
};

/** An API key, without its secret. */
export const KeyOut = z.strictObject(key).meta({ id: 'Key' });
export type KeyOut = z.output<typeof KeyOut>;

/** A new API key. */
export const NewKeyOut = z
  .strictObject({ ...key, key: z.string().describe('The key: `clk_<id>_<secret>`. It is shown only once.') })
  .meta({ id: 'NewKey' });
export type NewKeyOut = z.output<typeof NewKeyOut>;

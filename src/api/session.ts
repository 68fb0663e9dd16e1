import { z } from 'zod';
import { ROLES } from '../domain/access/caller.ts';
import { InstantOut } from './values.ts';

/** Whether and how the console knows who uses it. */
export const SESSION_STATES = ['open', 'signed-in', 'signed-out'] as const;

/** Who uses the console, what this person may do, and how to sign in. */
export const SessionOut = z
  .strictObject({
    state: z
      .enum(SESSION_STATES)
      .describe(
        '`open`: nobody needs to sign in, since there is no key and only this machine can reach the ledger.',
      ),
    caller: z
      .strictObject({
        actor: z.string().describe('Recorded with everything that the caller writes.'),
        role: z.enum(ROLES),
        accountId: z.string().optional().describe('The account that a customer is bound to.'),
        name: z.string().optional().describe('Name of the key, or of the person.'),
      })
      .optional()
      .describe('Absent if nobody is signed in.'),
    endsAt: InstantOut.optional().describe('When the session or the credential ends.'),
    may: z
      .array(z.string())
      .readonly()
      .describe('The ids of the operations that the caller may call, in the order of the alphabet.'),
    identityProvider: z
      .strictObject({ issuer: z.string() })
      .optional()
      .describe('Where people can sign in; absent if they sign in with keys only.'),
  })
  .meta({ id: 'Session' });
export type SessionOut = z.output<typeof SessionOut>;

/** A sign-in at the identity provider that begins. */
export const SignInBegunOut = z
  .strictObject({ authorizationUrl: z.url().describe('Where to lead the browser.') })
  .meta({ id: 'SignInBegun' });

/** A session that began at the identity provider. */
export const SignInEndedOut = SessionOut.extend({
  returnTo: z.string().describe('The path of the console that the person came from.'),
}).meta({ id: 'SignInEnded' });

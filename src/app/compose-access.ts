import { type Config, isLoopbackHost } from '../config/config.ts';
import { AccessControl } from '../http/access/access-control.ts';
import type { IdentityProvider } from '../http/access/identity-provider.ts';
import { OpenAnswers } from '../http/access/open-answers.ts';
import { openSessionKey, Sessions } from '../http/access/sealed-sessions.ts';
import { AccessKeys } from '../ledger/access-keys.ts';
import { KeyUses } from '../ledger/key-uses.ts';
import type { ComposeOptions } from './compose-options.ts';
import type { OpenLog } from './open-log.ts';

/** Everything that decides who may call the ledger. */
export interface Access {
  readonly access: AccessControl;
  readonly openAnswers: OpenAnswers;
  readonly keys: AccessKeys;
  readonly keyUses: KeyUses;
  readonly sessions: Sessions;
  /** Absent if people sign in with keys only. */
  readonly identityProvider: IdentityProvider | undefined;
}

/**
 * @param resources receives everything that has to be closed.
 * @throws SessionKeyError if the key of the sessions cannot be used.
 */
export async function composeAccess(
  config: Config,
  { log, now, monotonic = () => performance.now(), readOnly: isInProcess = false }: ComposeOptions,
  { store, clock }: Pick<OpenLog, 'store' | 'clock'>,
  resources: AsyncDisposableStack,
): Promise<Access> {
  const { oidc, bootstrapKey } = config;
  const tokens =
    oidc === undefined
      ? undefined
      : new (await import('../http/access/token-verifier.ts')).TokenVerifier(oidc, now);
  const hasOtherOperators = Object.values(oidc?.roles ?? {}).includes('operator');
  const keys = new AccessKeys(store, { now, recordingTime: clock.now, monotonic, hasOtherOperators });
  const keyUses = new KeyUses({ store, now, recordingTime: clock.now, log });
  resources.defer(() => keyUses.stop());
  const isLoopback = isLoopbackHost(config.host);
  // A ledger inside another process has no browsers, and creates no file.
  const sessionKey =
    config.sessionKey ?? (isInProcess ? Sessions.newKey() : await openSessionKey(config.dataDir));
  const sessions = new Sessions(sessionKey, now);
  const identityProvider =
    oidc?.clientId === undefined || tokens === undefined
      ? undefined
      : new (await import('../http/access/identity-provider.ts')).IdentityProvider(
          oidc,
          oidc.clientId,
          tokens,
          now,
        );
  const access = new AccessControl({
    keys,
    uses: keyUses,
    now,
    bootstrapKey,
    tokens,
    sessions,
    isLoopback,
    isInProcess,
  });
  return { access, openAnswers: new OpenAnswers(access), keys, keyUses, sessions, identityProvider };
}

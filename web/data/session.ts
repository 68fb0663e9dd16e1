import type { z } from 'zod';
import type { SessionOut, SignInBegunOut, SignInEndedOut } from '../../src/api/session.ts';
import { request } from './request.ts';

/** Signs in with an API key, which the browser then forgets: the session is in a cookie that no script can read. */
export function signInWithKey(key: string): Promise<SessionOut> {
  return request('/v1/session', { method: 'POST', body: { key } });
}

/** Begins a sign-in at the identity provider. @param returnTo path of the console to show afterwards */
export function beginSignIn(returnTo: string): Promise<z.output<typeof SignInBegunOut>> {
  return request('/v1/session/sign-in', { method: 'POST', body: { returnTo } });
}

/** Ends it. @param response the query with which the identity provider leads back */
export function endSignIn(response: string): Promise<z.output<typeof SignInEndedOut>> {
  return request('/v1/session/sign-in/end', { method: 'POST', body: { response } });
}

import type { VerdictCode, VerdictState } from '../../domain/validation/judging/verdict.ts';
import type { ProbeFailure } from './probe-failure.ts';

/** Requests to an API server, in order. */
export const PATHS = {
  readyz: '/readyz',
  version: '/version',
  kubeSystem: '/api/v1/namespaces/kube-system',
} as const;
export type ProbeRequest = keyof typeof PATHS;

/** An HTTP response, as far as it was read. */
export interface Answer {
  readonly status: number;
  /** Empty if the body was too large or encoded; such a response is not evidence. */
  readonly body: string;
}
export type Answers = Partial<Record<ProbeRequest, Answer>>;

/** A verdict without its time. */
export interface ProbeOutcome {
  readonly state: VerdictState;
  readonly code: VerdictCode;
  readonly uid?: string;
  readonly detail?: string;
}

/**
 * Classifies the responses so far and the failure that prevented others. One response that only a Kubernetes API
 * server gives is enough, even if a later request fails.
 */
export function classify(answers: Answers, failure: ProbeFailure | undefined): ProbeOutcome {
  if (isKubernetes(answers)) return alive(answers);
  if (failure !== undefined) return { state: failure.state, code: failure.code, detail: failure.message };
  return { state: 'unreachable', code: 'not-kubernetes', detail: statusesOf(answers) };
}

/** Returns whether any response is from a Kubernetes API server. */
export function isKubernetes(answers: Answers): boolean {
  const { version } = answers;
  return (version !== undefined && isVersion(version)) || Object.values(answers).some(isStatusOrThrottling);
}

function alive(answers: Answers): ProbeOutcome {
  const statuses = new Set(Object.values(answers).map(({ status }) => status));
  const uid = uidOf(answers.kubeSystem);
  const alive = { state: 'alive', ...(uid !== undefined && { uid }) } as const;
  const ready = answers.readyz?.status ?? 0;
  if (ready >= 500) return { ...alive, code: 'degraded', detail: `/readyz answered ${ready}` };
  if (statuses.has(401)) return { ...alive, code: 'unauthorized' };
  if (statuses.has(429)) return { ...alive, code: 'throttled' };
  if (statuses.has(403)) return { ...alive, code: 'forbidden' };
  return { ...alive, code: 'ok' };
}

function isVersion({ status, body }: Answer): boolean {
  const gitVersion = status === 200 ? objectIn(body)?.['gitVersion'] : undefined;
  return typeof gitVersion === 'string' && /^v?\d+\./.test(gitVersion);
}

/** Body of a throttled response. API servers send this plain text before they look at the request. */
const THROTTLED = 'Too many requests, please try again later.';

function isStatusOrThrottling({ status, body }: Answer): boolean {
  if (status === 429 && body.trim() === THROTTLED) return true;
  const object = objectIn(body);
  return object?.['kind'] === 'Status' && object['apiVersion'] === 'v1';
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function uidOf(answer: Answer | undefined): string | undefined {
  if (answer?.status !== 200) return undefined;
  const namespace = objectIn(answer.body);
  const metadata = namespace?.['kind'] === 'Namespace' ? namespace['metadata'] : undefined;
  const { name, uid } = (metadata ?? {}) as { readonly name?: unknown; readonly uid?: unknown };
  return name === 'kube-system' && typeof uid === 'string' && UUID.test(uid) ? uid.toLowerCase() : undefined;
}

function objectIn(body: string): Readonly<Record<string, unknown>> | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Describes the statuses of the responses without their text, which is untrusted. */
function statusesOf(answers: Answers): string {
  const parts = Object.entries(answers).map(([question, { status }]) => {
    const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
    return `${PATHS[question as ProbeRequest]} answered ${status}${redirect}`;
  });
  return parts.join('; ');
}

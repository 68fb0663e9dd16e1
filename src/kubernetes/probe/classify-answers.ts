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
  /** Whether the body is in an encoding that was not asked for. */
  readonly isEncoded?: boolean;
  /** Name of the kind of server in front, if its response names a known one. */
  readonly server?: string;
}
export type Answers = Partial<Record<ProbeRequest, Answer>>;

/** How the requests were sent. */
export interface Asked {
  /** Whether the configured CA has identified the server. */
  readonly isVouchedFor: boolean;
  /** Whether there was no login. */
  readonly isAnonymous: boolean;
  /** The fields of a login that was not used, with the reason: words that follow "asked without logging in: ". */
  readonly leftOut?: string | undefined;
}

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
export function classify(answers: Answers, failure: ProbeFailure | undefined, asked: Asked): ProbeOutcome {
  if (isKubernetes(answers)) return alive(answers, asked);
  const front = frontOf(answers, asked);
  if (front !== undefined) return withLogin(front, asked);
  if (failure !== undefined) return { state: failure.state, code: failure.code, detail: failure.message };
  return { state: 'unreachable', code: 'not-kubernetes', detail: statusesOf(answers) };
}

/** Returns whether any response is from a Kubernetes API server. */
export function isKubernetes(answers: Answers): boolean {
  const { version } = answers;
  return (version !== undefined && isVersion(version)) || Object.values(answers).some(isStatusOrThrottling);
}

function alive(answers: Answers, asked: Asked): ProbeOutcome {
  const statuses = new Set(Object.values(answers).map(({ status }) => status));
  const uid = uidOf(answers.kubeSystem);
  const alive = { state: 'alive', ...(uid !== undefined && { uid }) } as const;
  const ready = answers.readyz?.status ?? 0;
  if (ready >= 500)
    return withLogin({ ...alive, code: 'degraded', detail: `/readyz answered ${ready}` }, asked);
  const code = codeOf(statuses);
  const isUnseen = asked.isAnonymous && uid === undefined && code !== 'throttled';
  return withLogin({ ...alive, code: isUnseen ? 'not-logged-in' : code }, asked);
}

function codeOf(statuses: ReadonlySet<number>): VerdictCode {
  if (statuses.has(401)) return 'unauthorized';
  if (statuses.has(429)) return 'throttled';
  return statuses.has(403) ? 'forbidden' : 'ok';
}

/** Statuses by which a server refuses to serve the ledger, or asks for another login. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 407, 429]);

/**
 * Recognizes a server that stands in front of the API server: an authenticating proxy, a rate limit, a load balancer
 * without a backend, a redirect to a login page. It says nothing about the cluster, unless it refuses the ledger
 * and the CA of the cluster, or the form of the answer, shows that it is the front of this cluster.
 */
function frontOf(answers: Answers, { isVouchedFor }: Asked): ProbeOutcome | undefined {
  const all = Object.values(answers);
  const refusals = all.filter(({ status }) => REFUSALS.has(status));
  const isOurs = refusals.length > 0 && (isVouchedFor || refusals.some(isRancher));
  const detail = statusesOf(answers);
  if (isOurs) return { state: 'alive', code: 'front', detail };
  const isFront = ({ status, isEncoded }: Answer) =>
    status >= 500 || isRedirect(status) || isEncoded === true;
  if (refusals.length > 0 || all.some(isFront)) return { state: 'unknown', code: 'front', detail };
  return undefined;
}

/** Adds that the ledger asked without logging in, and why. */
function withLogin(outcome: ProbeOutcome, { isAnonymous, leftOut }: Asked): ProbeOutcome {
  if (!isAnonymous) return outcome;
  const login = `asked without logging in: ${leftOut ?? 'the credential has no login'}`;
  return { ...outcome, detail: outcome.detail === undefined ? login : `${outcome.detail}; ${login}` };
}

const isRedirect = (status: number) => status >= 300 && status < 400;

/** Returns whether a response has the form of an error of Rancher, which stands in front of its clusters. */
function isRancher({ status, body }: Answer): boolean {
  const object = objectIn(body);
  return object?.['type'] === 'error' && String(object['status']) === String(status);
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
  const parts = Object.entries(answers).map(([question, answer]) => {
    const { status, isEncoded, server = isRancher(answer) ? 'Rancher' : undefined } = answer;
    const who = server === undefined ? '' : ` by ${server}`;
    const redirect = isRedirect(status) ? ', a redirect, which is not followed' : '';
    const encoding = isEncoded === true ? ', in an encoding that was not asked for' : '';
    return `${PATHS[question as ProbeRequest]} answered ${status}${who}${redirect}${encoding}`;
  });
  return parts.join('; ');
}

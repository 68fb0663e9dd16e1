import { Readable } from 'node:stream';
import type { z } from 'zod';
import { ProblemOut } from '../../api/problem-document.ts';
import { CliError, EXIT, unreachable } from '../terminal/cli-error.ts';
import type { Output } from '../terminal/output.ts';
import { oneLine } from '../terminal/text.ts';
import { type Client, type Request, readBody } from './client.ts';

/** The fields of a problem document (RFC 9457) that the CLI prints. */
const Problem = ProblemOut.pick({
  type: true,
  title: true,
  detail: true,
  instance: true,
  errors: true,
}).strip();
type Problem = z.output<typeof Problem>;

/** The ledger rejected a request. */
export class ProblemError extends CliError {
  readonly #problem: Problem;

  constructor(problem: Problem) {
    super(EXIT.failed, describeProblem(problem));
    this.#problem = problem;
  }

  /** Code of the problem, such as `not-found`. */
  get code(): string {
    return this.#problem.type.replace(/^.*:/, '');
  }

  /** Returns a copy in which the invalid fields have the names that the user knows them by. */
  withFieldNames(fieldName: (pointer: string) => string): ProblemError {
    const { errors = [] } = this.#problem;
    const named = errors.map(({ pointer, detail }) => ({ pointer: fieldName(pointer), detail }));
    return new ProblemError({ ...this.#problem, errors: named });
  }
}

/** The output format; a table by default. */
export interface FormatOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Sends a request. @throws CliError if there is no response, or the ledger rejects the request. */
export async function send(client: Client, request: Request): Promise<Response> {
  const response = await client.send(request);
  if (response.ok) return response;
  throw await errorFrom(client, response);
}

/** Returns a JSON response. @throws CliError as `send` does, or if the response does not fit the schema. */
export async function fetchJson<T extends z.ZodType>(
  client: Client,
  request: Request,
  schema: T,
): Promise<z.output<T>> {
  const response = await send(client, request);
  const text = await readBody(client, () => response.text());
  return parseAnswer(client, text, schema);
}

/** Parses JSON and checks it against a schema. @throws CliError if it does not fit. */
export function parseAnswer<T extends z.ZodType>(client: Client, text: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unexpectedAnswer(client, `not valid JSON: it begins with ${JSON.stringify(text.slice(0, 60))}`);
  }
  const issue = schema
    .safeParse(value, { reportInput: true })
    .error?.issues.find((candidate) => !isFromNewerRelease(candidate));
  // The schemas of the API transform nothing, so the value has the type of their output.
  if (issue === undefined) return value as z.output<T>;
  throw unexpectedAnswer(client, `${issue.message} at /${issue.path.join('/')}`);
}

/** Returns whether a newer release explains an issue: it may add fields, and values to enumerations. */
function isFromNewerRelease(issue: z.core.$ZodIssue): boolean {
  switch (issue.code) {
    case 'unrecognized_keys':
      return true;
    case 'invalid_value':
      return issue.values.length > 1 && typeof issue.input === 'string';
    case 'invalid_union':
      return issue.errors.some((branch) => branch.length > 0 && branch.every(isFromNewerRelease));
    default:
      return false;
  }
}

function unexpectedAnswer(client: Client, reason: string): CliError {
  return new CliError(EXIT.failed, `unexpected response from ${client.name}: ${reason}`);
}

/** Prints a response: unchanged for `--json` and `--csv`, otherwise as `show` does. */
export async function printAnswer<T extends z.ZodType>(
  client: Client,
  out: Output,
  { json = false, csv = false }: FormatOptions,
  request: Request,
  schema: T,
  show: (answer: z.output<T>) => Promise<void>,
): Promise<void> {
  if (json || csv) {
    const response = await send(client, { ...request, accept: csv ? 'text/csv' : 'application/json' });
    await printBody(client, out, response);
  } else {
    await show(await fetchJson(client, request, schema));
  }
}

/** Prints the body of a response as it arrives. */
export async function printBody(client: Client, out: Output, response: Response): Promise<void> {
  await readBody(client, () => out.stream(bodyOf(response)));
}

/** Returns the body of a response as a stream. */
export function bodyOf({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body);
}

async function errorFrom(client: Client, response: Response): Promise<CliError> {
  const text = await response.text().catch(() => '');
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const problem = isProblem ? Problem.safeParse(JSON.parse(text)).data : undefined;
  if (problem !== undefined) return new ProblemError(problem);
  const { status } = response;
  const location = response.headers.get('location');
  if (location !== null)
    return new CliError(
      EXIT.failed,
      `${client.name} answered ${status}, a redirect to ${oneLine(location)}; redirects are not followed`,
    );
  // A proxy in front of the ledger could not reach it.
  if (status === 502 || status === 503 || status === 504)
    return unreachable(`cannot reach ${client.name}: the proxy in front of it answered ${status}`);
  return new CliError(EXIT.failed, `${client.name} is not a ledger: it answered ${status}`);
}

/** Returns a problem as text: title, detail, invalid fields, id of the request. */
function describeProblem({ title, detail, errors = [], instance }: Problem): string {
  const isDetailRepeated = errors.length > 0 && errors.every((error) => detail.includes(error.detail));
  return [
    title,
    ...(isDetailRepeated ? [] : [`  ${oneLine(detail)}`]),
    ...errors.map((error) => `  ${oneLine(error.pointer || 'the body')}: ${oneLine(error.detail)}`),
    ...(instance === undefined ? [] : [`  request ${oneLine(instance)}`]),
  ].join('\n');
}

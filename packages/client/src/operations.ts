/** Types of the requests and answers of each operation, derived from the contract. */
import type { paths } from './contract.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

type OperationOf<P extends keyof paths, M extends Method> = Exclude<paths[P][M], undefined>;

/** The paths that have an operation of a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: [OperationOf<P, M>] extends [never] ? never : P;
}[keyof paths];

type ParametersOf<O> = O extends { parameters: infer P } ? P : never;
type PathParametersOf<O> = ParametersOf<O> extends { path: infer X extends object } ? X : never;
type QueryOf<O> = Exclude<ParametersOf<O> extends { query?: infer Q } ? Q : never, undefined>;
type JsonIn<C> = C extends { 'application/json': infer J } ? J : never;

type WithPath<O> = [PathParametersOf<O>] extends [never] ? unknown : { readonly path: PathParametersOf<O> };
type WithQuery<O> = [QueryOf<O>] extends [never]
  ? unknown
  : object extends QueryOf<O>
    ? { readonly query?: QueryOf<O> }
    : { readonly query: QueryOf<O> };
type WithBody<O> = O extends { requestBody: { content: infer C } }
  ? { readonly body: JsonIn<C> }
  : O extends { requestBody?: { content: infer C } }
    ? [C] extends [never]
      ? unknown
      : { readonly body?: JsonIn<C> }
    : unknown;

/** What every request can carry. */
export interface RequestOptions {
  /** Ends the request, its retries and their pauses. */
  readonly signal?: AbortSignal;
}

/** The options of a request: parameters of its path, its query and its body, as far as the operation has them. */
export type OptionsOf<P extends keyof paths, M extends Method> = RequestOptions &
  WithPath<OperationOf<P, M>> &
  WithQuery<OperationOf<P, M>> &
  WithBody<OperationOf<P, M>>;

/** The arguments after the path: the options, which can be left out if none is required. */
export type ArgumentsOf<P extends keyof paths, M extends Method> =
  object extends OptionsOf<P, M> ? [options?: OptionsOf<P, M>] : [options: OptionsOf<P, M>];

type Success = 200 | 201 | 202;
type ResponsesOf<O> = O extends { responses: infer R } ? R : never;
type ContentOf<R> = R extends { content: infer C } ? JsonIn<C> : never;

/** The JSON answer of an operation; undefined if its answer has no JSON. */
export type AnswerOf<P extends keyof paths, M extends Method> =
  ResponsesOf<OperationOf<P, M>> extends infer R
    ? [ContentOf<R[keyof R & Success]>] extends [never]
      ? undefined
      : ContentOf<R[keyof R & Success]>
    : never;

/** The paths of lists that come in pages. */
export type ListPath = {
  [P in PathOf<'get'>]: [AnswerOf<P, 'get'>] extends [{ items: unknown[]; next?: string }] ? P : never;
}[PathOf<'get'>];

/** An item of a list. */
export type ItemOf<P extends ListPath> = AnswerOf<P, 'get'> extends { items: (infer I)[] } ? I : never;

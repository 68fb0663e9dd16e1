/** The types of the HTTP API, generated from its OpenAPI document. */
export type { components, paths } from '../../../docs/openapi.d.ts';

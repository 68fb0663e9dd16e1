import { BoundedMap } from '../../util/bounded-map.ts';

/** Maximum number of queries of a route whose validation is remembered. */
const MAX_KNOWN_QUERIES = 64;
/** Maximum size of such a query, in characters of JSON. */
const MAX_KNOWN_QUERY = 256;

/**
 * Returns a function that validates a query once and then remembers the result: clients send few different ones, and validating one
 * takes longer than reading the request.
 */
export function rememberingQueries(validate: (query: unknown) => object): (query: unknown) => object {
  const valid = new BoundedMap<string, object>(MAX_KNOWN_QUERIES);
  return (query) => {
    const text = JSON.stringify(query);
    const known = valid.get(text);
    if (known !== undefined) return known;
    const result = validate(query);
    if ('value' in result && text.length <= MAX_KNOWN_QUERY) {
      Object.freeze(result.value);
      valid.set(text, result);
    }
    return result;
  };
}

// Asks the ledger of this container whether it answers, and ends with 1 if not: the HEALTHCHECK of the image. The path can be
// another one: `health-check.js /readyz` waits for a ledger that can take facts.
import { readSettings } from '../src/config/read-settings.ts';

const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '']);
const { values } = readSettings(process.env);
const host = EVERY_ADDRESS.has(values['http.host']) ? '127.0.0.1' : values['http.host'];
const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${values['http.port']}`);
url.pathname = process.argv[2] ?? '/livez';

try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  process.stdout.write(`${url.pathname}: ${answer.status}\n`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${url.pathname}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}

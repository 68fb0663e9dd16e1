// Creates the first API keys by the bootstrap key, once: one of an operator, and one of an auditor, with which Prometheus reads
// /metrics. Writes them to files of a volume. With the argument show, prints the key of the operator.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

// biome-ignore lint/style/noProcessEnv: a program of its own, which Compose configures by variables.
const { BOOTSTRAP_KEY, LEDGER } = process.env;
const OPERATOR = '/keys/operator';
const PROMETHEUS = '/keys/prometheus';
const ATTEMPTS = 600;

/** @param {string} by @param {string} file @param {{ role: string, name: string }} key @param {number} mode */
async function create(by, file, key, mode) {
  if (existsSync(file)) return;
  const answer = await fetch(`${LEDGER}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json' },
    body: JSON.stringify(key),
  });
  if (!answer.ok)
    throw new Error(`the ledger did not create the key ${key.name}: ${answer.status} ${await answer.text()}`);
  writeFileSync(`${file}.new`, (await answer.json()).key, { mode });
  renameSync(`${file}.new`, file);
}

async function isReady() {
  try {
    return (await fetch(`${LEDGER}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function main() {
  if (process.argv[2] === 'show') return readFileSync(OPERATOR, 'utf8');
  for (let attempt = 0; !(await isReady()); attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`${LEDGER} did not become ready`);
    await wait(1_000);
  }
  await create(BOOTSTRAP_KEY, OPERATOR, { role: 'operator', name: 'operator' }, 0o600);
  // Prometheus runs as another user.
  await create(readFileSync(OPERATOR, 'utf8'), PROMETHEUS, { role: 'auditor', name: 'prometheus' }, 0o644);
  return 'the keys are there';
}

try {
  process.stdout.write(`${await main()}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { finished, folderForTest, start } from './program.ts';

/** Makes Node.js warn again and again. */
const WARNING = "--import=data:text/javascript,setInterval(()=>process.emitWarning('planted'),50).unref()";

test.each(['SIGTERM', 'SIGINT'] as const)(
  'serve runs a ledger that ends cleanly at %s, and whose log has each warning of Node.js as JSON',
  async (signal) => {
    const env = { LEDGER_DATA_DIR: await folderForTest(), LEDGER_HTTP_PORT: '0', NODE_OPTIONS: WARNING };
    const child = start(['serve'], { env });
    const end = finished(child);
    let output = '';
    for await (const [chunk] of on(child.stdout as NodeJS.ReadableStream)) {
      output += chunk;
      if (output.includes('ledger ready') && output.includes('"message":"planted"')) break;
    }
    const url = /Server listening at (http:[^"]+)/.exec(output)?.[1] as string;
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    child.kill(signal);
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(stdout).toContain('"msg":"closed"');
  },
);

async function* on(stream: NodeJS.ReadableStream): AsyncGenerator<[string]> {
  for (;;) yield (await once(stream, 'data')) as [string];
}

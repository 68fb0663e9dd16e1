import type { Verdict, VerificationAsked } from '../verifier/verdict.ts';

/** Verifies an evidence file in a thread of its own. The script of the verifier is loaded with the first file. */
export function verifyInBrowser(asked: VerificationAsked): Promise<Verdict> {
  const worker = new Worker(new URL('../verifier/worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Verdict>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Verdict>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
}

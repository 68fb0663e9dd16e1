import { isNode, LineCounter, parseDocument } from 'yaml';
import { usageError } from '../../terminal/cli-error.ts';
import { readInput } from '../../terminal/input.ts';

/** A policy that was written down. */
export interface PolicyFile {
  readonly policy: unknown;
  /** Where something of it stands in the file, in words, with its path in the policy. @param pointer RFC 6901 */
  locate(pointer: string): string;
}

/** Reads a policy in YAML, of which JSON is a part. @throws CliError if it cannot be read, or is no YAML. */
export async function readPolicy(file: string): Promise<PolicyFile> {
  const name = file === '-' ? 'the standard input' : file;
  const lines = new LineCounter();
  const document = parseDocument(await readInput(file), {
    uniqueKeys: true,
    strict: true,
    lineCounter: lines,
  });
  const [mistake] = document.errors;
  if (mistake !== undefined)
    throw usageError(`${name} is no valid YAML: ${mistake.message.split('\n')[0]?.replace(/:$/, '')}`);
  let policy: unknown;
  try {
    policy = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw usageError(`${name} cannot be read: ${(error as Error).message}`);
  }
  return {
    policy,
    locate: (pointer) => {
      const steps = stepsOf(pointer);
      const written = steps.join('.').replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
      return [`${name}${lineOf(steps)}`, written].filter((part) => part !== '').join(': ');
    },
  };

  /** Of the innermost of these that stands in the file. */
  function lineOf(steps: readonly string[]): string {
    for (let depth = steps.length; depth > 0; depth--) {
      const node = document.getIn(steps.slice(0, depth).map(asKey), true);
      if (isNode(node) && node.range) return `:${lines.linePos(node.range[0]).line}`;
    }
    return '';
  }
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function asKey(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}

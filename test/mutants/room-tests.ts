import { globSync, readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CollectedTest, collect } from './collected.ts';

const standIn = new URL('./collected.ts', import.meta.url).href;

/** The tests of a room in the working folder, whose modules can be imported any number of times. */
export class RoomTests {
  readonly #base = pathToFileURL(`${process.cwd()}/`).href;
  readonly #files: readonly string[];
  readonly #sources = new Map<string, string>();
  /** Is a part of the URL of each module, so that another number makes Node.js import it anew. */
  #version = 0;

  constructor(patterns: readonly string[]) {
    this.#files = patterns.flatMap((pattern) => globSync(pattern)).sort();
    registerHooks({
      resolve: (specifier, context, next) => {
        const isOurs = this.#isOurs(context.parentURL ?? '');
        if (specifier === 'vitest' && isOurs) return { url: standIn, format: 'module', shortCircuit: true };
        const found = next(specifier, context);
        if (!this.#isOurs(found.url)) return found;
        return { ...found, url: `${found.url.split('?')[0]}?v=${this.#version}` };
      },
      load: (url, context, next) => {
        if (!this.#isOurs(url) || !url.includes('.ts?')) return next(url, context);
        return { format: 'module', source: this.#source(url), shortCircuit: true };
      },
    });
  }

  /** From now on, modules are imported anew. */
  reset(): void {
    this.#version += 1;
  }

  /** Imports the tests and all modules anew. @throws if one cannot be imported. */
  load(): Promise<readonly CollectedTest[]> {
    this.reset();
    return collect(this.#files, (file) => import(`${this.#base}${file}`));
  }

  #isOurs(url: string): boolean {
    return url.startsWith(this.#base) && !url.includes('/node_modules/') && !url.includes('/test/mutants/');
  }

  #source(url: string): string {
    const path = fileURLToPath(url.split('?')[0] ?? url);
    const known = this.#sources.get(path);
    if (known !== undefined) return known;
    const source = stripTypeScriptTypes(readFileSync(path, 'utf8'));
    this.#sources.set(path, source);
    return source;
  }
}

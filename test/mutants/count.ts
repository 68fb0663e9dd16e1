/** The result of a room. */
export interface Counts {
  readonly mutants: number;
  /** Mutants that a test noticed, by failing or by not ending. */
  readonly noticed: number;
  /** Share that was noticed. */
  readonly score: number;
  /** Mutants that no test noticed: the place and the changed text. */
  readonly survivors: readonly string[];
}

/** A report of Stryker, as far as it is read: the mutants of each file. */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly mutants: readonly ReportedMutant[] }>>;
}

interface ReportedMutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

const NOTICED = new Set(['Killed', 'Timeout']);
/** A mutant that does not run says nothing about the tests. */
const LEFT_OUT = new Set(['CompileError', 'RuntimeError', 'Ignored']);

/** Counts the mutants of a report. */
export function count({ files }: MutationReport): Counts {
  const all = Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.filter(({ status }) => !LEFT_OUT.has(status)).map((mutant) => ({ file, ...mutant })),
  );
  const survived = all.filter(({ status }) => !NOTICED.has(status));
  const noticed = all.length - survived.length;
  return {
    mutants: all.length,
    noticed,
    score: all.length === 0 ? 0 : noticed / all.length,
    survivors: survived.map(
      ({ file, location: { start }, status, mutatorName, replacement = '' }) =>
        `${file}:${start.line}:${start.column} ${status} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 80)}`,
    ),
  };
}

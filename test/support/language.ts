/** Checks of the language of comments, messages and test titles, as CONTRIBUTING describes it. */
import ts from 'typescript';

/** A place in a file that breaks a rule of language. */
export interface Finding {
  readonly rule: Rule;
  readonly line: number;
  readonly text: string;
}

export type Rule = keyof typeof RULES;

interface Texts {
  readonly comments: readonly Text[];
  /** Strings that hold a sentence: a string without a space is a name. */
  readonly messages: readonly Text[];
  readonly titles: readonly Text[];
}

interface Text {
  readonly line: number;
  readonly text: string;
}

const find =
  (pattern: RegExp, ...kinds: (keyof Texts)[]) =>
  (texts: Texts) =>
    kinds.flatMap((kind) => texts[kind]).filter(({ text }) => pattern.test(text));

const everywhere = ['comments', 'messages', 'titles'] as const;

const RULES = {
  'comment-begins-with-what': find(/^What\b/, 'comments'),
  whoever: find(/\bwhoever\b/i, ...everywhere),
  'for-ever': find(/\bfor ever\b/i, ...everywhere),
  'is-no': find(
    /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|fewer\b|less\b|later\b|earlier\b)/i,
    ...everywhere,
  ),
  'at-the-most': find(/\bat the (?:most|least)\b/i, ...everywhere),
  'ours-and-us': find(/\b(?:ours|us)\b/, ...everywhere),
  told: find(/\b(?:told|tells?)\b/i, ...everywhere),
  'by-itself': find(/\bby (?:itself|themselves)\b/i, ...everywhere),
  'title-is-a-fragment': find(/^(?:of|that|with|and|where|from|who|whose|should)\b/i, 'titles'),
} as const;

export const RULE_NAMES = Object.keys(RULES) as Rule[];

/** Returns every place of a TypeScript source that breaks a rule of language. */
export function findingsIn(source: string): Finding[] {
  const texts = textsOf(source);
  return RULE_NAMES.flatMap((rule) => RULES[rule](texts).map((found) => ({ rule, ...found })));
}

/** Counts the words of comments, and how often they are "where". Places are counted too, so the limit of a check is not 0. */
export function countWhere(source: string): { readonly words: number; readonly wheres: number } {
  const words = textsOf(source).comments.flatMap(({ text }) => text.match(/[A-Za-z'’-]+/g) ?? []);
  return { words: words.length, wheres: words.filter((word) => word.toLowerCase() === 'where').length };
}

function textsOf(source: string): Texts {
  const file = ts.createSourceFile('a.ts', source, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const comments = new Map<number, Text>();
  const messages: Text[] = [];
  const titles: Text[] = [];
  const addComments = (ranges: readonly ts.CommentRange[] = []) => {
    for (const { pos, end } of ranges)
      comments.set(pos, { line: lineOf(pos), text: proseOf(source.slice(pos, end)) });
  };
  const visit = (node: ts.Node): void => {
    addComments(ts.getLeadingCommentRanges(source, node.getFullStart()));
    addComments(ts.getTrailingCommentRanges(source, node.getEnd()));
    const text = textOf(node);
    if (text?.includes(' ') && !ts.isImportDeclaration(node.parent)) {
      const found = { line: lineOf(node.getStart()), text };
      (isTitle(node) ? titles : messages).push(found);
    }
    for (const child of node.getChildren(file)) visit(child);
  };
  visit(file);
  return { comments: [...comments.values()], messages, titles };
}

function proseOf(comment: string): string {
  return comment
    .replace(/^\/\*\*?|\*\/$|^\/\//g, '')
    .replaceAll(/\n\s*\*? ?/g, ' ')
    .trim();
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…');
  }
  return undefined;
}

/** Returns whether a node is the first argument of `test(…)`, `describe(…)` or of a form such as `test.each(…)(…)`. */
function isTitle(node: ts.Node): boolean {
  const call = node.parent;
  if (!ts.isCallExpression(call) || call.arguments[0] !== node) return false;
  let callee: ts.Expression = call.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  return ts.isIdentifier(callee) && ['test', 'describe', 'it'].includes(callee.text);
}

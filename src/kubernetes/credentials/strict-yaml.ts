import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
} from 'yaml';
import { CredentialRefused } from './credential-source.ts';

/** A parsed value without YAML features. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | ReadonlyMap<string, PlainValue>;

export const MAX_BYTES = 64 * 1024;
const MAX_NODES = 2_000;
const MAX_DEPTH = 16;
/** Tags of the YAML core schema. Any other tag would ask a parser to construct an object. */
const CORE_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Parses one untrusted YAML or JSON document. Empty documents beside it are ignored, and aliases count as often as they
 * are used. It rejects merge keys, tags, duplicate keys, further documents, and a depth or size that no kubeconfig
 * needs. Mappings become `Map`, so no key has a meaning in JavaScript.
 * @param what name of the document in messages.
 * @throws CredentialRefused which never quotes the text.
 */
export function readStrictYaml(text: string, what: string): PlainValue {
  const refuse = (why: string) => new CredentialRefused(what, why);
  if (Buffer.byteLength(text) > MAX_BYTES) throw refuse(`must have at most ${MAX_BYTES} bytes`);
  if (text.includes('\ufffd')) throw refuse('must be UTF-8, or UTF-16 with a byte order mark');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u2028\u2029]/.test(text))
    throw refuse('must not contain control characters');
  if (/^(?:\ufeff)?%/m.test(text)) throw refuse('must not contain directives');
  if (!isShallow(text)) throw refuse(`must not be nested deeper than ${MAX_DEPTH}`);
  const document = parse(text.startsWith('\ufeff') ? text.slice(1) : text, refuse);
  const anchors = new Anchors();
  let nodes = 0;
  const plain = (node: unknown, depth: number): PlainValue => {
    nodes += 1;
    if (nodes > MAX_NODES) throw refuse(`must have at most ${MAX_NODES} values`);
    if (depth > MAX_DEPTH) throw refuse(`must not be nested deeper than ${MAX_DEPTH}`);
    if (node === null || node === undefined) return null;
    // An alias within its own anchor is nested without an end, which the depth limits.
    if (isAlias(node)) return plain(anchors.targetOf(node, refuse), depth + 1);
    anchors.note(node as Node);
    checkNode(node as Node, refuse);
    if (isScalar(node)) return scalar(node.value, refuse);
    if (isSeq(node)) return node.items.map((item) => plain(item, depth + 1));
    if (!isMap(node)) throw refuse('must consist of mappings, lists and scalars');
    const map = new Map<string, PlainValue>();
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key) || typeof pair.key.value !== 'string')
        throw refuse('must have strings as keys');
      checkNode(pair.key, refuse);
      if (pair.key.value === '<<')
        throw refuse(
          'must not contain merge keys; kubectl config view --flatten --minify writes the fields out',
        );
      map.set(pair.key.value, plain(pair.value, depth + 1));
    }
    return map;
  };
  return plain(document.contents, 0);
}

function parse(text: string, refuse: (why: string) => Error): Document {
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      strict: true,
      customTags: [],
      logLevel: 'silent',
      // Messages of the parser quote the text, which may be a token.
      prettyErrors: false,
    });
  } catch {
    throw refuse('is not valid YAML or JSON');
  }
  if (!Array.isArray(documents)) throw refuse('must not be empty');
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error?.code === 'DUPLICATE_KEY') throw refuse('must not have duplicate keys');
  if (error !== undefined)
    throw refuse(`is not valid YAML or JSON: ${error.code.toLowerCase().replaceAll('_', ' ')}`);
  if (documents.some(({ warnings }) => warnings.length > 0))
    throw refuse('must not contain tags or directives');
  const [document, second] = documents.filter(({ contents }) => !isNothing(contents));
  if (document === undefined) throw refuse('must not be empty');
  if (second !== undefined)
    throw refuse('must be exactly one document; separate files are needed for several');
  return document;
}

function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

/**
 * The anchors of a document that is walked in order. An alias stands for the last node before it with its anchor. The
 * parser could look them up too, and would walk the document for each alias.
 */
class Anchors {
  readonly #nodes = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  readonly #noted = new Set<Node>();

  /** Notes the anchor of a node, the first time that the walk comes to it. */
  note(node: Node): void {
    const { anchor } = node as { anchor?: string };
    if (anchor === undefined || this.#noted.has(node)) return;
    this.#noted.add(node);
    this.#nodes.set(anchor, node);
  }

  targetOf(alias: Alias, refuse: (why: string) => Error): Node {
    const target = this.#targets.get(alias) ?? this.#nodes.get(alias.source);
    if (target === undefined) throw refuse('must not contain an alias without its anchor');
    this.#targets.set(alias, target);
    return target;
  }
}

function checkNode(node: Node, refuse: (why: string) => Error): void {
  const { tag } = node as { tag?: string };
  if (tag !== undefined && !CORE_TAGS.has(tag)) throw refuse('must not contain tags');
}

function scalar(value: unknown, refuse: (why: string) => Error): PlainValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  throw refuse('must consist of mappings, lists and scalars');
}

/**
 * Returns whether nesting is limited. The recursive parser would overflow the stack on deep brackets, or on many
 * dashes in a line.
 */
function isShallow(text: string): boolean {
  let depth = 0;
  let isDeep = false;
  for (const line of text.split('\n')) {
    if (/^\s*(?:[-?]\s+){17,}/.test(line)) return false;
    for (const letter of line) {
      if (letter === '[' || letter === '{') depth += 1;
      else if ((letter === ']' || letter === '}') && depth > 0) depth -= 1;
      if (depth > MAX_DEPTH) isDeep = true;
    }
  }
  return !isDeep;
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MalformedCheckpoint, parseCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import { LogKeyError, LogKeys } from '../../../src/audit/log-keys.ts';
import { MalformedNote, openNote, signNote, UntrustedNote } from '../../../src/audit/note.ts';
import { verifyEvidence } from '../../../src/audit/verify/verify-evidence.ts';
import { ConfigError, readConfig } from '../../../src/config/config.ts';
import { parseFact, UnreadableFact } from '../../../src/domain/facts/fact.ts';
import { formatInstant, parseInstant } from '../../../src/domain/time.ts';
import { examineWal } from '../../../src/eventstore/sqlite/wal.ts';
import { FeedCursorText } from '../../../src/http/params/feed-cursor.ts';
import { JsonError, parseStrictJson } from '../../../src/http/server/strict-json.ts';
import { CredentialRefused } from '../../../src/kubernetes/credentials/credential-source.ts';
import { parseKubeconfig } from '../../../src/kubernetes/credentials/kubeconfig.ts';
import { readStrictYaml } from '../../../src/kubernetes/credentials/strict-yaml.ts';
import { parseKeyText } from '../../../src/ledger/key-text.ts';
import { toCsv } from '../../../src/util/csv.ts';

/** A parser, texts that it takes, and how to run it on another text. */
export interface Target {
  readonly name: string;
  readonly samples: readonly string[];
  /** Errors with which it may refuse a text. */
  readonly refusals: readonly (new (
    ...args: never[]
  ) => Error)[];
  /** Parses. Throws a refusal, or another error if something is wrong. */
  parse(text: string): void;
}

const KUBECONFIGS = new URL('../../kubernetes/credentials/', import.meta.url);
const textsIn = (folder: string) =>
  readdirSync(new URL(folder, KUBECONFIGS)).map((file) =>
    readFileSync(new URL(folder + file, KUBECONFIGS), 'utf8'),
  );

/** All parsers of bytes that others give to the ledger. @param evidence a valid evidence file and its key */
export function parsers(evidence: { readonly file: string; readonly key: string }): {
  readonly targets: readonly Target[];
  close(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-fuzz-'));
  const file = join(folder, 'file');
  const keys = LogKeys.generate('fuzz');
  const kubeconfigs = [...textsIn('hostile-kubeconfigs/'), ...textsIn('real-forms/kubeconfigs/')];
  const note = signNote('origin\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n', keys.signers);
  const targets: Target[] = [
    {
      name: 'strict JSON',
      samples: ['{"a":[1,2.5,null,true,"x\\u00e9"],"b":{"c":-1e3}}', '[[],{}]', '"text"', '0'],
      refusals: [JsonError],
      parse(text) {
        // A lone surrogate has no bytes of its own.
        const bytes = Buffer.from(text);
        const value = parseStrictJson(bytes);
        // The standard parser must take the same text, as the same value.
        if (JSON.stringify(JSON.parse(bytes.toString())) !== JSON.stringify(value))
          throw new Error('read as another value');
      },
    },
    {
      name: 'strict YAML',
      samples: kubeconfigs,
      refusals: [CredentialRefused],
      parse: (text) => void readStrictYaml(text, 'it'),
    },
    {
      name: 'kubeconfig',
      samples: kubeconfigs,
      refusals: [CredentialRefused],
      parse: (text) => void parseKubeconfig(text, { allowPlainHttp: false }),
    },
    {
      name: 'signed note',
      samples: [note],
      refusals: [MalformedNote, UntrustedNote],
      parse(text) {
        // A change of the text below the signature is a forgery.
        if (openNote(text, keys.verifiers).text !== note.slice(0, note.lastIndexOf('\n\n') + 1))
          throw new Error('a forged note was taken');
      },
    },
    {
      name: 'checkpoint',
      samples: [note.slice(0, note.lastIndexOf('\n\n') + 1)],
      refusals: [MalformedCheckpoint],
      parse: (text) => void parseCheckpoint(text),
    },
    {
      name: 'keys of the log',
      samples: [keys.text, keys.rotated().text],
      refusals: [LogKeyError],
      parse: (text) => void LogKeys.parse(text, 'it'),
    },
    {
      name: 'evidence file',
      samples: [evidence.file],
      refusals: [],
      parse(text) {
        if (text !== evidence.file && verifyEvidence(Buffer.from(text), { keys: [evidence.key] }).ok)
          throw new Error('a changed evidence file was taken');
      },
    },
    {
      name: 'time',
      samples: [
        '2026-01-31T08:00:00.000Z',
        '2026-01-31t08:00:00.123456+05:30',
        '1970-01-01T00:00:00-23:59',
        '2016-12-31T23:59:60Z',
      ],
      refusals: [],
      parse(text) {
        const instant = parseInstant(text);
        if (instant !== undefined && parseInstant(formatInstant(instant)) !== instant)
          throw new Error('read as another time');
      },
    },
    {
      name: 'cursor of the feed',
      samples: ['0', '12', '3.12'],
      refusals: [],
      parse: (text) => void FeedCursorText.safeParse(text),
    },
    {
      name: 'API key',
      samples: ['clk_abcdefghijkl_0123456789abcdefghijABCDEFGHIJ'],
      refusals: [],
      parse: (text) => void parseKeyText(text),
    },
    {
      name: 'CSV',
      samples: ['acme', '=1+1', 'a "name", quoted', '@SUM(A1)', '\tx', '-5'],
      refusals: [],
      parse(text) {
        const csv = toCsv(['name'], [[text]]);
        const cell = csv.slice('name\r\n'.length, -2);
        const isQuoted = cell.startsWith('"');
        const content = isQuoted ? cell.slice(1, -1).replaceAll('""', '"') : cell;
        if (!isQuoted && /[",\r\n]/.test(cell)) throw new Error('a cell is not quoted');
        if (/^[=+\-@\t\r]/.test(content)) throw new Error('a cell is a formula');
      },
    },
    {
      name: 'stored fact',
      samples: [
        '{"clusterId":"c","accountId":"a","name":"n","effectiveAt":"2026-01-01T00:00:00.000Z"}',
        '{"clusterId":"c","cause":"manual","effectiveAt":"2026-01-01T00:00:00.000Z"}',
      ],
      refusals: [UnreadableFact, SyntaxError],
      parse(text) {
        const data: unknown = JSON.parse(text);
        for (const type of ['ClusterRegistered', 'ClusterRegistered.v2', 'BillingStopped', 'FactVoided']) {
          try {
            parseFact('c', type, data);
          } catch (error) {
            if (!(error instanceof UnreadableFact)) throw error;
          }
        }
      },
    },
    {
      name: 'ledger.yaml',
      samples: [
        'http:\n  port: 8400\nvalidator:\n  mode: observe\n',
        'audit:\n  origin: a.example/log\n  witnesses: []\n',
        'store: "sqlite:x.db"\n',
      ],
      refusals: [ConfigError],
      parse(text) {
        writeFileSync(file, text);
        readConfig({ LEDGER_CONFIG: file });
      },
    },
    {
      name: 'write-ahead log',
      samples: ['7\u007f\u0006\u0082'.repeat(30), '\u0000'.repeat(64)],
      refusals: [],
      parse(text) {
        writeFileSync(file, text, 'latin1');
        examineWal(file);
      },
    },
  ];
  return { targets, close: () => rmSync(folder, { recursive: true, force: true }) };
}

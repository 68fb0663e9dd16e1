/**
 * Decodes text of unknown origin: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it. Invalid UTF-8 becomes
 * U+FFFD. The byte order mark of UTF-8 stays.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  return new TextDecoder(encoding, { ignoreBOM: encoding === 'utf-8' }).decode(bytes);
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

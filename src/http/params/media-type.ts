const UTF8 = /^(charset="?utf-8"?)?$/;

/** Returns whether a content type is one of the given media types. Its only parameter may be the charset UTF-8, quoted or not. */
export function isMediaType(contentType: string | undefined, mediaTypes: readonly string[]): boolean {
  if (contentType === undefined) return false;
  // Almost all content types are written like this.
  if (mediaTypes.includes(contentType)) return true;
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  return mediaTypes.includes(mediaType) && parameters.every((parameter) => UTF8.test(parameter));
}

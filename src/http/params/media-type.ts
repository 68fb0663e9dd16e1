const UTF8 = /^(charset="?utf-8"?)?$/;

/** Returns the media type of a content type, without its parameters. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return undefined;
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Returns whether a content type is one of the given media types. Its only parameter may be the charset UTF-8, quoted or not. */
export function isMediaType(contentType: string | undefined, mediaTypes: readonly string[]): boolean {
  const mediaType = mediaTypeOf(contentType);
  if (contentType === undefined || mediaType === undefined || !mediaTypes.includes(mediaType)) return false;
  if (!contentType.includes(';')) return true;
  const [, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  return parameters.every((parameter) => UTF8.test(parameter));
}

/** The nonce of this page: the only style elements that its policy allows have it. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

// The package that keeps a page from scrolling under a dialog reads the nonce from here.
Object.assign(globalThis, { __webpack_nonce__: nonce });

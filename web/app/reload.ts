/** Time in which a page that could not load a part of itself is not loaded again a second time: the cause remains. */
const PAUSE_MS = 20_000;
const KEY = 'ledger-reloaded-at';

/**
 * Loads the page again when a script or a style of it could not be loaded: the network has changed, or the ledger was updated and
 * has other files now. At most once in 20 s; then the page says that it cannot be shown.
 */
export function reloadIfPartsAreMissing(): void {
  window.addEventListener('vite:preloadError', (event) => {
    if (Date.now() - Number(sessionStorage.getItem(KEY)) < PAUSE_MS) return;
    sessionStorage.setItem(KEY, String(Date.now()));
    event.preventDefault();
    window.location.reload();
  });
}

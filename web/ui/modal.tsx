// A file of its own, so that the library of dialogs is loaded when the first dialog is opened.
export { Modal as default } from '@mantine/core';

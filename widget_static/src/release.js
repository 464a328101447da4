/**
 * Which panel belongs to this loader. The build puts the hashed file and its integrity in place of
 * this module; in development the sources load each other as they are.
 */
export const panel = { file: "panel.js", integrity: "" };

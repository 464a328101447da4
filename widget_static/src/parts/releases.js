/** By name, which parts belong to this panel; the build knows, as in `release.js`. */
export const releases = {
  cards: { file: "cards.js", integrity: "" },
  ending: { file: "ending.js", integrity: "" },
  markdown: { file: "markdown.js", integrity: "" },
  views: { file: "views.js", integrity: "" },
  files: { file: "files.js", integrity: "" },
};

// `import sheet from "./x.css" with { type: "css" }`: browsers do it, and so does the build.
declare module "*.css" {
  const sheet: CSSStyleSheet;
  export default sheet;
}

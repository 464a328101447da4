/** By language, where its strings are; the build knows. @type {Record<string, string>} */
export const files = {};

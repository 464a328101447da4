/** Where the strings are: `strings.<group>.<language>.<hash>.json`, a hash for each group; the build knows. */
export const files = { languages: /** @type {string[]} */ ([]), hashes: { panel: "", cards: "", files: "", ending: "", views: "" } };

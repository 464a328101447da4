/**
 * Outlines on a 24 × 24 grid, each on its own: a script carries those it uses.
 */

export const attach = "M20 11.5 12.3 19a5 5 0 0 1-7.1-7.1l8.2-8a3.3 3.3 0 0 1 4.7 4.7l-8 7.8a1.7 1.7 0 0 1-2.4-2.4L14.5 7";
export const chat = "M7 4h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-5.5L7 20v-4a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z";
export const close = "m6 9.5 6 6 6-6";
export const down = "M12 5v14m-6-6 6 6 6-6";
export const file = "M14 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V7.5zM14 3v4.5h4.5";
export const more = "M5 12h.01M12 12h.01M19 12h.01";
export const send = "M4.5 12h14m-6-6.5 6.5 6.5-6.5 6.5";
export const warn = "M12 8v5m0 3.2v.01M12 3.5 2.8 19.5h18.4z";
export const away = "M14 5h5v5m0-5-8 8M10 6H6.5A1.5 1.5 0 0 0 5 7.5v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.5V14";

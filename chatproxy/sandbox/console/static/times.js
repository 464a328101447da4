/** Times as people read them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const slotName = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});

/** @param {string} instant */
export const timeOfDay = (instant) => clock.format(new Date(instant));

/** @param {string} instant a slot of a TimePicker, which comes without seconds */
export const slot = (instant) => {
  const date = new Date(instant.replace(/T(\d\d:\d\d)([+-])/, "T$1:00$2"));
  return Number.isNaN(date.getTime()) ? instant : slotName.format(date);
};

/** @param {string} instant */
export const day = (instant) => {
  const date = new Date(instant);
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  if (date >= midnight) return "Today";
  if (midnight.getTime() - date.getTime() <= 86_400_000) return "Yesterday";
  return dayName.format(date);
};

/**
 * How long ago, as a clock: 0:07, 12:30, 1:02:03.
 * @param {string} since
 * @param {number} now milliseconds
 */
export const elapsed = (since, now) => {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
};

/** @param {number} bytes */
export const size = (bytes) => {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
};

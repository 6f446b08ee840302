// Days and times in words, as the browser's language has them.

const kDayMs = 86_400_000;

export function ago(instant) {
  const minutes = Math.max(0, Date.now() - Date.parse(instant)) / 60_000;
  return minutes < 1 ? "just now"
    : minutes < 60 ? `${Math.floor(minutes)} min ago`
    : minutes < 2880 ? `${Math.floor(minutes / 60)} h ago`
    : `${Math.floor(minutes / 1440)} days ago`;
}

function styleOf(date, zone) {
  const now = new Date().getFullYear() === date.getFullYear();
  return { day: "numeric", month: "short", ...(now ? {} : { year: "numeric" }), timeZone: zone };
}

const noon = (day) => new Date(`${day.slice(0, 10)}T12:00:00Z`);

// A calendar day such as "2026-01-31".
export function dayWords(day) {
  return noon(day).toLocaleDateString(undefined, styleOf(noon(day), "UTC"));
}

// From one calendar day to another; the same words once.
export function daysWords(first, last) {
  const format = new Intl.DateTimeFormat(undefined, styleOf(noon(first), "UTC"));
  return format.formatRange(noon(first), noon(last));
}

// An instant on the clock of whoever looks.
export function timeWords(instant) {
  const date = new Date(instant);
  return date.toLocaleString(undefined, { ...styleOf(date), hour: "numeric", minute: "2-digit" });
}

// When something happened, as a record gives it: a day, part of one, or a time. A time without an
// offset is the site's wall clock, so it is shown as it is written.
export function effectiveWords(text) {
  if (!text) return "";
  if (/(Z|[+-]\d\d:\d\d)$/.test(text)) return timeWords(text);
  if (text.includes("T")) return `${dayWords(text)}, ${text.slice(11, 16)}`;
  return text.length === 10 ? dayWords(text) : text;
}

export function counted(count, one, several) {
  return `${count} ${count === 1 ? one : several}`;
}

export function days(count) {
  return counted(count, "day", "days");
}

// Whole days from one instant to another, begun ones counted.
export function daysBetween(earlier, later) {
  return Math.floor((later - earlier) / kDayMs) + 1;
}

// "2026-01-31" in the calendar of whoever looks, some days from now.
export function dayFromNow(count) {
  const date = new Date();
  date.setDate(date.getDate() + count);
  return localTime(date).slice(0, 10);
}

// "2026-01-31T14:05", as a field for a time has it.
export function localTime(date) {
  const at = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}

// The same with the offset that is in force then.
export function withOffset(local) {
  const minutes = -new Date(local).getTimezoneOffset();
  const part = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${part(minutes / 60)}:${part(minutes % 60)}`;
}

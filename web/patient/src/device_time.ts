// The device's own time with its offset, as answers are stamped with:
// "2026-05-01T08:30:00.123+02:00".
export function deviceTime(date: Date = new Date()): string {
  const offset = -date.getTimezoneOffset();
  const two = (number: number) => String(Math.floor(Math.abs(number))).padStart(2, '0');
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
  return `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}

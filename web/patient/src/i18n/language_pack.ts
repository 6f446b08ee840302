// The page's own words. A language is one JSON file beside this one, named by its BCP 47 code; it
// is found by itself. English says which words there are, and steps in for one that a pack lacks.
import english from './en.json';

export type Word = keyof typeof english;
// Words that depend on a number, without the ".one" or ".other" at their end.
type HeadOf<W> = W extends `${infer Head}.other` ? Head : never;
export type CountedWord = HeadOf<Word>;
export type Pack = Partial<Record<Word, string>>;

const files = import.meta.glob<Pack>('./*.json', { eager: true, import: 'default' });

export const PACKS: ReadonlyMap<string, Pack> = new Map(
  Object.entries(files).map(([file, pack]) => [file.slice(2, -'.json'.length), pack]));

export interface Language {
  code: string;
  say(word: Word, fill?: Record<string, string | number>): string;
  count(word: CountedWord, n: number): string;
  time(iso: string): string; // a date, or a date with its time of day
  span(ms: number): string; // how long: "30 seconds"
  decimal(value: number): string;
}

function filled(words: string, fill: Record<string, string | number> = {}): string {
  return words.replace(/\{(\w+)\}/g, (all, name: string) => String(fill[name] ?? all));
}

export function languageOf(code: string): Language {
  const pack = PACKS.get(code) ?? english;
  const say: Language['say'] = (word, fill) => filled(pack[word] ?? english[word], fill);
  const plural = new Intl.PluralRules(code);
  return {
    code,
    say,
    count(word, n) {
      const form = n === 0 && `${word}.zero` in english ? 'zero' : plural.select(n);
      const exact = `${word}.${form}` as Word;
      return say(exact in pack || exact in english ? exact : `${word}.other`, { n });
    },
    time(iso) {
      const dayAlone = /^\d{4}-\d\d-\d\d$/.test(iso);
      const date = new Date(dayAlone ? `${iso}T12:00` : iso);
      if (Number.isNaN(date.getTime())) return iso;
      const day = { weekday: 'short', day: 'numeric', month: 'long' } as const;
      return new Intl.DateTimeFormat(code, dayAlone ? day
        : { ...day, hour: 'numeric', minute: '2-digit' }).format(date);
    },
    span(ms) {
      const seconds = Math.ceil(ms / 1000);
      const [value, unit] =
        seconds < 90 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
      return new Intl.NumberFormat(code, { style: 'unit', unit, unitDisplay: 'long' })
        .format(value);
    },
    decimal(value) {
      return new Intl.NumberFormat(code, { maximumFractionDigits: 10, useGrouping: false })
        .format(value);
    },
  };
}

// The first of the wished languages that there is a pack for, else English.
export function chooseLanguage(wished: readonly string[]): string {
  for (const wish of wished) {
    if (PACKS.has(wish)) return wish;
    const bare = wish.split('-')[0]!.toLowerCase();
    if (PACKS.has(bare)) return bare;
  }
  return 'en';
}

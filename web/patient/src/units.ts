// The units that a patient measures with, so that skip logic and limits can compare an answer in
// pounds with a condition in kilograms. The server knows all of UCUM; a unit that is not here can
// be compared with itself only.

interface Unit {
  dimension: string;
  factor: number;
  offset?: number; // added before the factor is applied
}

const UNITS: Record<string, Unit> = {
  kg: { dimension: 'mass', factor: 1000 },
  g: { dimension: 'mass', factor: 1 },
  mg: { dimension: 'mass', factor: 1e-3 },
  ug: { dimension: 'mass', factor: 1e-6 },
  '[lb_av]': { dimension: 'mass', factor: 453.59237 },
  '[oz_av]': { dimension: 'mass', factor: 28.349523125 },
  '[stone_av]': { dimension: 'mass', factor: 6350.29318 },
  m: { dimension: 'length', factor: 1 },
  cm: { dimension: 'length', factor: 0.01 },
  mm: { dimension: 'length', factor: 0.001 },
  km: { dimension: 'length', factor: 1000 },
  '[in_i]': { dimension: 'length', factor: 0.0254 },
  '[ft_i]': { dimension: 'length', factor: 0.3048 },
  '[mi_i]': { dimension: 'length', factor: 1609.344 },
  L: { dimension: 'volume', factor: 1 },
  l: { dimension: 'volume', factor: 1 },
  dL: { dimension: 'volume', factor: 0.1 },
  cL: { dimension: 'volume', factor: 0.01 },
  mL: { dimension: 'volume', factor: 0.001 },
  ml: { dimension: 'volume', factor: 0.001 },
  s: { dimension: 'time', factor: 1 },
  min: { dimension: 'time', factor: 60 },
  h: { dimension: 'time', factor: 3600 },
  d: { dimension: 'time', factor: 86400 },
  wk: { dimension: 'time', factor: 604800 },
  mo: { dimension: 'time', factor: 2629800 },
  a: { dimension: 'time', factor: 31557600 },
  K: { dimension: 'temperature', factor: 1 },
  Cel: { dimension: 'temperature', factor: 1, offset: 273.15 },
  '[degF]': { dimension: 'temperature', factor: 5 / 9, offset: 459.67 },
  'mm[Hg]': { dimension: 'pressure', factor: 133.322 },
  kPa: { dimension: 'pressure', factor: 1000 },
  'mg/dL': { dimension: 'mass concentration', factor: 0.01 },
  'g/L': { dimension: 'mass concentration', factor: 1 },
  'mmol/L': { dimension: 'substance concentration', factor: 1 },
  'umol/L': { dimension: 'substance concentration', factor: 0.001 },
};

export function convert(value: number, from: string, to: string): number | undefined {
  const one = UNITS[from], other = UNITS[to];
  if (!one || !other || one.dimension !== other.dimension) return undefined;
  return ((value + (one.offset ?? 0)) * one.factor) / other.factor - (other.offset ?? 0);
}

// The server's answers, as the page needs them: each call ends within its time and says what kind
// of answer it was. It never throws for what a network does.
import { withoutVersion, type Questionnaire, type QuestionnaireResponse } from './fhir';
import type { StudyText } from './translation';

const CALL_MS = 30_000;
const WAIT_S_MAX = 3600;

export interface Phone {
  label: StudyText;
  number: string;
}

export interface Due {
  activity: string;
  title: StudyText;
  occurrence: string | number;
  questionnaire: string; // canonical, "url|version"
  from?: string;
  until?: string;
  state?: string;
}

export interface Help {
  questionnaire?: string;
  when: { linkId: string; answers?: (string | number | boolean)[]; min?: number }[];
  title: StudyText;
  text: StudyText;
  phones: Phone[];
}

export interface Home {
  subject: string;
  study: { id: string; title: StudyText; contact?: { phones?: Phone[]; text?: StudyText } };
  languages?: string[];
  due: Due[];
  help?: Help[];
}

export interface Enrolment {
  token: string;
  subject: string;
  study: { id: string; title: StudyText };
  questionnaires: string;
  expires?: string;
}

export type Answer<T> =
  | { kind: 'ok'; status: number; body: T }
  | { kind: 'refused'; status: number; body: unknown } // asking again changes nothing
  | { kind: 'ended' } // the token is no longer valid
  | { kind: 'later'; status: number; waitMs: number } // the server said so
  | { kind: 'unreachable'; perhaps: boolean }; // perhaps: it may have got it

function waitOf(response: Response): number {
  const header = response.headers.get('Retry-After') ?? '';
  const seconds = /^\d+$/.test(header) ? Number(header)
    : header ? (Date.parse(header) - Date.now()) / 1000 : 0;
  return Math.max(0, Math.min(Number.isFinite(seconds) ? seconds : 0, WAIT_S_MAX)) * 1000;
}

async function call<T>(path: string, options: RequestInit, token?: string): Promise<Answer<T>> {
  const headers = new Headers(options.headers);
  if (token) headers.set('Authorization', `Bearer ${token}`);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, {
      ...options, headers, cache: 'no-store', credentials: 'omit', redirect: 'error',
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await response.text();
    body = text ? JSON.parse(text) : undefined;
  } catch (error) {
    const name = (error as Error).name;
    return { kind: 'unreachable', perhaps: name === 'TimeoutError' || name === 'AbortError' };
  }
  const { status } = response;
  if (response.ok) return { kind: 'ok', status, body: body as T };
  if (status === 401) return { kind: 'ended' };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'later', status, waitMs: waitOf(response) };
  }
  return { kind: 'refused', status, body };
}

const post = (body: unknown, type = 'application/json', headers: Record<string, string> = {}) =>
  ({ method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': type, ...headers } });

export function enrol(code: string, device: string): Promise<Answer<Enrolment>> {
  return call('/p/api/enrol', post({ code, device: { name: device } }));
}

export function fetchHome(token: string): Promise<Answer<Home>> {
  return call('/p/api/home', {}, token);
}

export async function fetchQuestionnaire(token: string, canonical: string):
    Promise<Answer<Questionnaire>> {
  const url = withoutVersion(canonical), version = canonical.slice(url.length + 1);
  const query = new URLSearchParams(version ? { url, version } : { url });
  const answer = await call<{ entry?: { resource?: Questionnaire }[] }>(
    `/fhir/Questionnaire?${query}`, { headers: { Accept: 'application/fhir+json' } }, token);
  if (answer.kind !== 'ok') return answer;
  const found = answer.body.entry?.find(({ resource }) =>
    resource?.resourceType === 'Questionnaire' && (!version || resource.version === version));
  if (!found?.resource) return { kind: 'refused', status: 404, body: answer.body };
  return { ...answer, body: found.resource };
}

export function sendResponse(token: string, response: QuestionnaireResponse):
    Promise<Answer<unknown>> {
  const { system, value } = response.identifier;
  return call('/fhir/QuestionnaireResponse', post(response, 'application/fhir+json', {
    Accept: 'application/fhir+json',
    'If-None-Exist': `identifier=${system}|${value}`,
  }), token);
}

// A response that the server refused, for the site's staff to look at.
export function sendMisfit(token: string, response: QuestionnaireResponse, outcome: unknown):
    Promise<Answer<unknown>> {
  return call('/p/api/misfits', post({ response, outcome }), token);
}

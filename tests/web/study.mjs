// The study that the browser's tests take part in.
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url)));
export const PHQ9 = read('phq9.json');
export const EVERY_TYPE = read('every-type.json');
export const canonicalOf = ({ url, version }) => `${url}|${version}`;

const LINES = [
  { label: { en: 'Your study site', de: 'Ihr Studienzentrum' }, number: '+49 30 555 0100' },
];
const CRISIS = [
  { label: { en: 'Crisis line, day and night', de: 'Krisentelefon, Tag und Nacht' },
    number: '0800 111 0 111' },
  { label: { en: 'Emergency', de: 'Notruf' }, number: '112' },
];

export const dueOf = (questionnaire, more) => ({
  activity: questionnaire.id, title: questionnaire.title, occurrence: 'week-2',
  questionnaire: canonicalOf(questionnaire), from: '2026-01-01T00:00:00Z',
  until: '2099-01-08T20:00:00Z', state: 'due', ...more,
});

export function homeOf(due) {
  return (server) => ({
    subject: 'SUBJ-7',
    study: {
      id: 'calm',
      title: { en: 'CALM study', de: 'Studie CALM' },
      contact: { phones: LINES,
                 text: { en: 'Monday to Friday, 8:00 to 16:00.',
                         de: 'Montag bis Freitag, 8 bis 16 Uhr.' } },
    },
    languages: ['en', 'de'],
    due: due.filter(({ questionnaire }) => ![...server.responses.values()]
      .some((response) => response.questionnaire === questionnaire)),
    help: [{
      questionnaire: PHQ9.url,
      when: [{ linkId: '/44260-8', answers: ['LA6569-3', 'LA6570-1', 'LA6571-9'] }],
      title: { en: 'You are not alone', de: 'Sie sind nicht allein' },
      text: {
        en: 'You told us of thoughts of being dead or of hurting yourself. Please talk to ' +
            'somebody now. Your study team is told of your answer as soon as it is sent.',
        de: 'Sie haben uns von Gedanken berichtet, tot zu sein oder sich zu verletzen. Bitte ' +
            'sprechen Sie jetzt mit jemandem. Ihr Studienteam erfährt von Ihrer Antwort, sobald ' +
            'sie gesendet ist.',
      },
      phones: CRISIS,
    }],
  });
}

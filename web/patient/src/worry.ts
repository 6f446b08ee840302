// Answers that the study wants help shown for: its own list (GET /p/api/home, "help"). Whether an
// alert is raised is the server's to decide; this is what the patient sees at once. Pure.
import { ordinalOf } from './answer_options';
import { type Form } from './form';
import { canonicalOf, withoutVersion, type Item, type Value } from './fhir';
import type { Help } from './server';

function isMeant(help: Help, form: Form): boolean {
  const { questionnaire } = help;
  if (questionnaire === undefined) return true;
  const own = canonicalOf(form.questionnaire);
  return questionnaire === own || questionnaire === withoutVersion(own);
}

function codesOf(value: Value): string[] {
  if (value.valueCoding) return [value.valueCoding.code ?? '', value.valueCoding.display ?? ''];
  const plain = value.valueBoolean ?? value.valueInteger ?? value.valueDecimal ?? value.valueString;
  return plain === undefined ? [] : [String(plain)];
}

function numberOf(item: Item, value: Value): number | undefined {
  if (value.valueCoding) return ordinalOf(item, value.valueCoding);
  return value.valueInteger ?? value.valueDecimal ?? value.valueQuantity?.value;
}

// The help that the answers call for now. Skipped questions call for none.
export function helpFor(list: Help[], form: Form): Help[] {
  const steps = form.steps().filter((step) => step.kind === 'question');
  return list.filter((help) => isMeant(help, form) && help.when.some((when) =>
    steps.some(({ item, path }) => item.linkId === when.linkId &&
      form.valuesAt(path).some((value) => {
        if (when.answers?.some((code) => code !== '' && codesOf(value).includes(String(code)))) {
          return true;
        }
        const number = numberOf(item, value);
        return when.min !== undefined && number !== undefined && number >= when.min;
      }))));
}


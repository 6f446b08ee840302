// A FHIR Questionnaire as its readers need it: its text, and where in a response a place is.

import { make } from "./page.js";

// The questionnaire that a response names, from the server's own: {form, exact}. `exact` is false
// when the server has other versions of it only; `form` is null when it has none.
export async function formOf(server, canonical = "") {
  const [url, version] = canonical.split("|");
  if (!url) return { form: null, exact: false };
  const query = new URLSearchParams({ url });
  const bundle = (await server.read(`/fhir/Questionnaire?${query}`)).resource;
  const forms = (bundle.entry ?? []).map((entry) => entry.resource);
  const same = forms.find((form) => !version || form.version === version);
  return { form: same ?? forms.at(-1) ?? null, exact: Boolean(same) };
}

// Every question by its linkId.
export function questionsOf(form, found = new Map()) {
  for (const item of form?.item ?? []) {
    found.set(item.linkId, item);
    questionsOf(item, found);
  }
  return found;
}

// What "QuestionnaireResponse.item[3].answer[0]" is in the response: the item, and its linkId.
export function placeOf(response, expression = "") {
  let node = response;
  let item = null;
  for (const [, name, index] of expression.matchAll(/\b(item|answer)\[(\d+)\]/g)) {
    node = node?.[name]?.[Number(index)];
    if (name === "item" && node) item = node;
  }
  return item;
}

// The issues of an OperationOutcome that matter, as [{linkId, where, words}]. The words name
// questions by their linkId in quotes, where their readers know the text.
export function faultsOf(issues, response, form) {
  const questions = questionsOf(form);
  const textOf = (linkId) => `“${questions.get(linkId)?.text ?? linkId}”`;
  const bad = issues.filter(({ severity }) => severity === "error" || severity === "fatal");
  return bad.map((one) => {
    const expression = one.expression?.[0] ?? one.location?.[0] ?? "";
    const told = one.details?.text ?? one.diagnostics ?? one.code ?? "";
    const named = [...told.matchAll(/"([^"]*)"/g)].find(([, linkId]) => questions.has(linkId))?.[1];
    const at = placeOf(response, expression)?.linkId;
    const words = told.replace(/"([^"]*)"/g, (quoted, linkId) =>
      questions.has(linkId) ? textOf(linkId) : quoted);
    const place = expression.replace(/^QuestionnaireResponse\.?/, "");
    return { linkId: named ?? at, where: named ? "" : at ? textOf(at) : place, words };
  });
}

// One of them as an item of a list.
export function faultItem({ where, words }) {
  return make("li", {}, ...(where ? [make("b", { textContent: where }), ": "] : []), words);
}

const kValue = /^value[A-Z]/;

// What is answered, as FHIR has it: ["valueCoding", {…}]; undefined when it is nothing.
export function valueOf(answer) {
  return Object.entries(answer ?? {}).find(([name]) => kValue.test(name));
}

// One answer in words.
export function answerWords(answer, question) {
  const [, value] = valueOf(answer) ?? [];
  if (value === undefined) return "";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value !== "object") return String(value);
  if (value.code && value.value === undefined) {
    const option = question?.answerOption?.find(({ valueCoding }) =>
      valueCoding?.code === value.code && valueCoding.system === value.system);
    return value.display ?? option?.valueCoding.display ?? value.code;
  }
  if (value.value !== undefined) return `${value.value} ${value.unit ?? value.code ?? ""}`.trim();
  return value.display ?? value.reference ?? value.title ?? JSON.stringify(value);
}

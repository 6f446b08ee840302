// A response beside its questionnaire: each question, what the patient answered, and a field for
// what it is to be. Only what is changed is changed; everything else goes back as it came.

import { make } from "./page.js";
import { answerWords, valueOf } from "./questions.js";

let fields = 0; // for ids

// The fields of the types that take one answer: how it is made, and what it says as FHIR.
const kInputs = {
  integer: { type: "number", step: "1", as: (text) => ({ valueInteger: Number(text) }) },
  decimal: { type: "number", step: "any", as: (text) => ({ valueDecimal: Number(text) }) },
  date: { type: "text", as: (text) => ({ valueDate: text }) },
  dateTime: { type: "text", as: (text) => ({ valueDateTime: text }) },
  time: { type: "text", as: (text) => ({ valueTime: text }) },
  string: { type: "text", as: (text) => ({ valueString: text }) },
  text: { type: "text", as: (text) => ({ valueString: text }) },
  url: { type: "text", as: (text) => ({ valueUri: text }) },
};

function optionsOf(question) {
  if (question.type === "boolean") return [{ valueBoolean: true }, { valueBoolean: false }];
  return question.answerOption?.map((option) => {
    const [name, value] = valueOf(option) ?? [];
    if (name !== "valueCoding") return { [name]: value };
    const { system, code, display } = value; // without extensions: they are the question's
    return { valueCoding: { ...(system && { system }), code, ...(display && { display }) } };
  });
}

// What tells two answers apart: a coding's words do not.
function keyOf(answer) {
  const [name, value] = valueOf(answer) ?? ["", ""];
  return name === "valueCoding" ? `${name} ${value.system ?? ""} ${value.code}`
    : `${name} ${JSON.stringify(value)}`;
}

// A field with one answer: {element, read()}, where read() gives an answer or null. Null where it
// has to be done in the JSON.
function fieldOf(question, item) {
  const { item: _, ...sent } = item?.answer?.[0] ?? {};
  const answer = valueOf(sent) && sent;
  if (question.repeats || item?.answer?.length > 1) return null;
  const options = optionsOf(question);
  if (options && question.type !== "open-choice") {
    const keys = options.map(keyOf);
    const now = answer ? keys.indexOf(keyOf(answer)) : -1;
    const element = make("select", {}, new Option("– no answer –", ""),
      ...options.map((option, index) => new Option(answerWords(option, question), index)));
    // What fits none of the options stays until another is chosen.
    if (answer && now < 0) element.append(new Option(`${answerWords(answer, question)} (as sent)`,
                                                     "sent"));
    element.value = now >= 0 ? now : answer ? "sent" : "";
    return { element, read: () => element.value === "sent" ? answer
      : element.value === "" ? null : options[element.value] };
  }
  const { as, ...kind } = kInputs[question.type] ?? {};
  if (!as) return null;
  const element = make("input", { ...kind, autocomplete: "off" });
  element.value = answer ? answerWords(answer, question) : "";
  return { element, read: () => element.value.trim() ? as(element.value.trim()) : null };
}

// What a question adds to the table, and the item that it gives: null for none.
function questionPart(question, item, depth, faulty) {
  const field = fieldOf(question, item);
  const words = (item?.answer ?? []).map((one) => answerWords(one, question)).join(", ");
  const sent = make("td", { textContent: words || "–" });
  const label = make("label", { textContent: question.text ?? question.linkId });
  const told = [question.required ? "required" : "",
                question.enableWhen ? "only under a condition" : ""].filter(Boolean).join(", ");
  const head = make("th", { scope: "row", className: `depth-${Math.min(depth, 3)}` }, label);
  if (told) head.append(make("span", { className: "muted", textContent: ` (${told})` }));
  const fix = make("td", {});
  sent.dataset.label = "Sent";
  fix.dataset.label = "Corrected";
  const row = make("tr", { className: faulty.has(question.linkId) ? "faulty" : "" },
                   head, sent, fix);
  if (!field) {
    label.replaceWith(question.text ?? question.linkId);
    fix.append(make("span", { className: "muted", textContent: "in the JSON" }));
    return { rows: [row], read: () => item ?? null };
  }
  field.element.id = label.htmlFor = `answer-${++fields}`;
  const before = JSON.stringify(field.read());
  const isChanged = () => JSON.stringify(field.read()) !== before;
  field.element.onchange = () => row.classList.toggle("changed", isChanged());
  fix.append(field.element);
  // What is asked below the answer stays with it.
  const { item: nested = [], ...answer } = item?.answer?.[0] ?? {};
  const below = partsOf(question.item ?? [], nested, depth + 1, faulty);
  return { rows: [row, ...below.rows], read: () => {
    const items = below.read();
    if (!isChanged() && JSON.stringify(items) === JSON.stringify(nested)) return item ?? null;
    const changed = isChanged() ? field.read() : answer;
    return changed && { ...(item ?? { linkId: question.linkId }),
             answer: [{ ...changed, ...(items.length && { item: items }) }] };
  } };
}

function groupPart(question, item, depth, faulty) {
  const inside = partsOf(question.item ?? [], item?.item ?? [], depth + 1, faulty);
  const head = make("th", { scope: "colgroup", colSpan: 3, className: "group",
                            textContent: question.text ?? question.linkId });
  return { rows: [make("tr", {}, head), ...inside.rows], read: () => {
    const items = inside.read();
    if (!items.length && !item) return null;
    const { item: _, ...rest } = item ?? { linkId: question.linkId };
    return { ...rest, ...(items.length && { item: items }) };
  } };
}

// Something that is no question: it may be taken out.
function strangerPart(item, faulty) {
  const words = item.answer?.map((one) => answerWords(one)).join(", ") ?? "";
  const out = make("input", { type: "checkbox", id: `answer-${++fields}` });
  const head = make("th", { scope: "row" }, `${item.text ?? item.linkId ?? "?"} `,
    make("span", { className: "muted", textContent: "(not in the questionnaire)" }));
  const row = make("tr", { className: faulty.has(item.linkId) ? "faulty" : "" }, head,
    make("td", { textContent: words || "–" }),
    make("td", {}, make("label", { htmlFor: out.id }, out, " Take it out")));
  return { rows: [row], read: () => out.checked ? null : item };
}

function partsOf(questions, items, depth, faulty) {
  const known = new Set(questions.map((question) => question.linkId));
  const parts = [];
  for (const question of questions) {
    const found = items.filter((item) => item.linkId === question.linkId);
    if (question.type === "display") {
      parts.push(...found.map((item) => ({ rows: [], read: () => item })));
      continue;
    }
    const make = question.type === "group" ? groupPart : questionPart;
    for (const item of found.length ? found : [null]) {
      parts.push(make(question, item, depth, faulty));
    }
  }
  for (const item of items) {
    if (!known.has(item.linkId)) parts.push(strangerPart(item, faulty));
  }
  return { rows: parts.flatMap((part) => part.rows),
           read: () => parts.map((part) => part.read()).filter(Boolean) };
}

// {table, read()} of a response; read() gives the response with what was changed. `faulty` are the
// linkIds that something is said about.
export function answerSheet(form, response, faulty) {
  const { rows, read } = partsOf(form.item ?? [], response.item ?? [], 0, new Set(faulty));
  const heads = ["Question", "Sent by the patient", "Corrected"].map((words) =>
    make("th", { scope: "col", textContent: words }));
  const table = make("table", { className: "rows sheet" },
    make("caption", { className: "unseen", textContent: "Questions and answers" }),
    make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  return { table, read: () => ({ ...response, item: read() }) };
}

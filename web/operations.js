// The operations page: what runs again and again, who is called, and what runs now. It asks the
// operations listener every two seconds, and shows what it said last with a notice when it does not
// answer.

const PERIOD_MS = 2000;
const ANSWER_MS = 5000;
const TASKS_MAX = 100;  // rows of what runs now

const element = (id) => document.getElementById(id);

function seconds(value) {
  if (value === undefined) return "";
  if (value < 0.001) return "0 s";
  if (value < 10) return `${value.toFixed(2)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

function cell(content) {
  const td = document.createElement("td");
  td.append(content ?? "");
  return td;
}

// Every row is a list of cells' contents: texts or elements.
function fill(id, rows, empty) {
  const body = element(id).tBodies[0];
  const made = rows.map((contents) => {
    const row = document.createElement("tr");
    row.append(...contents.map(cell));
    return row;
  });
  if (made.length === 0) {
    const row = document.createElement("tr");
    const only = cell(empty);
    only.colSpan = element(id).tHead.rows[0].cells.length;
    row.append(only);
    made.push(row);
  }
  body.replaceChildren(...made);
}

async function runNow(name, button) {
  button.disabled = true;
  const answer = await fetch(`/ops/tasks/${encodeURIComponent(name)}/run`,
    {method: "POST", headers: {"X-Trialward": "run"}});
  if (!answer.ok) notice(`${name} could not be run: ${answer.status}`);
  button.disabled = false;
  await show();
}

function runButton(task) {
  const button = document.createElement("button");
  button.textContent = "Run now";
  button.disabled = task.running;
  button.setAttribute("aria-label", `Run ${task.name} now`);
  button.addEventListener("click", () => runNow(task.name, button).catch(lost));
  return button;
}

function result(task) {
  if (task.running) return "running";
  if (task.runs === 0) return "has not run";
  return task.last_error ?? "done";
}

function cycle(partner) {
  const last = partner.last_cycle;
  if (!last) return "none since the start";
  const counts = `${last.in_step} in step, ${last.changed} changed, ${last.conflicting} ` +
      `conflicting, ${last.unreachable} unreachable`;
  return last.error ? `${counts}: ${last.error}` : counts;
}

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = text === "";
}

function lost(error) {
  element("connection").className = "stale";
  element("connection").textContent = "not connected";
  notice(`The server does not answer: ${error.message}`);
}

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function show() {
  const [tasks, remotes, deliveries] = await Promise.all(
      [ask("/ops/tasks"), ask("/ops/remotes"), ask("/ops/deliveries")]);
  fill("recurring", tasks.recurring.map((one) => [
    one.name, seconds(one.every_s), one.last_started_at ?? "", seconds(one.last_took_s),
    result(one), one.running ? "" : seconds(one.next_in_s), seconds(one.lag_s), runButton(one)]),
       "nothing");
  fill("partners", remotes.partners.map((one) => [
    one.study, one.partner, one.breaker, `${one.in_flight} of ${one.in_flight_max}`,
    one.retry_budget.toFixed(0), cycle(one)]), "no study is kept in step with anybody");
  fill("targets", deliveries.targets.map((one) => [
    one.name, one.breaker ?? "not configured", String(one.in_flight ?? ""),
    one.retry_budget === undefined ? "" : one.retry_budget.toFixed(0), String(one.pending),
    String(one.dead)]), "nobody outside is told of alerts");
  fill("tasks", tasks.tasks.slice(0, TASKS_MAX).map((one) => [
    one.name, one.owner, one.where ?? "", seconds(one.age_s),
    one.deadline_in_s === undefined ? "" : one.overdue ? "overdue" : seconds(one.deadline_in_s)]),
       "nothing");
  element("connection").className = "live";
  element("connection").textContent = "live";
  notice("");
}

async function go() {
  try {
    await show();
  } catch (error) {
    lost(error);
  }
  setTimeout(go, PERIOD_MS);
}
go();

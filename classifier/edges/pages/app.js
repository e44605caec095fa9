// The form, the link that holds it, and the question what would change the answer.

import { change, headline, render } from "./answer.js";
import { get, post, useToken } from "./api.js";
import { $, el, show } from "./dom.js";
import { setUpTable } from "./table.js";

const EXAMPLES = [
  ["Calls from our customers are answered by a vendor in Manila.", "US"],
  ["A firm in Texas runs the help desk of our New York company.", "US"],
  ["Our designer is employed on paper by a staffing company in Lisbon, but she works for us only and we direct her.", "DE"],
  ["Our own staff do the payroll in our office in Leeds.", "GB"],
];
// The form's fields as they are called in a link and in a request.
const FIELDS = [
  ["text", "description"],
  ["home", "home"],
  ["provider_country", "provider"],
  ["vendor_contract", "vendor"],
  ["threshold", "threshold"],
];

const labels = new Map(); // of facts
const terms = new Map(); // of the vocabulary
let asking = null;
let ready = null;

function load() {
  ready ??= Promise.all([get("v1/facts"), get("v1/terms"), get("v1/countries")]).then(([facts, known, countries]) => {
    for (const fact of facts) labels.set(fact.id, fact.label);
    for (const term of known) terms.set(term.id, term);
    for (const select of document.querySelectorAll("select.country")) {
      select.append(...countries.map((country) => el("option", { value: country.code }, country.name)));
    }
  });
  ready.catch(() => (ready = null));
  return ready;
}

// What the form says, without what is left open.
function context() {
  const asked = {};
  if ($("home").value) asked.home = $("home").value;
  if ($("provider").value) asked.provider_country = $("provider").value;
  if ($("vendor").checked) asked.vendor_contract = true;
  if ($("threshold").value) asked.threshold = Number($("threshold").value);
  return asked;
}

const link = () => `#${new URLSearchParams({ text: $("description").value, ...context() })}`;

function restore() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("text")) return false;
  for (const [name, id] of FIELDS) {
    const field = $(id);
    if (field.type === "checkbox") field.checked = given.get(name) === "true";
    else field.value = given.get(name) ?? "";
  }
  $("more").open = FIELDS.slice(2).some(([name]) => given.has(name));
  return true;
}

// Says how it went; `more` only to those who do not see it beside.
function say(text, more = "") {
  $("status").replaceChildren(text, el("span", { class: "unseen" }, more && ` ${more}.`));
}

// A refusal told where it belongs; one for want of a token brings up the field for it.
function tell(error, fallback) {
  if (error.name === "AbortError") return;
  if (error.status === 401) {
    show($("access"), true);
    fallback("This service asks for a token.");
    $("token").focus();
  } else {
    fallback(error.message);
  }
}

function complain(text) {
  const place = $("description-error");
  place.textContent = text;
  show(place, Boolean(text));
  $("description").setAttribute("aria-invalid", String(Boolean(text)));
}

async function ask(event) {
  event?.preventDefault();
  complain("");
  const text = $("description").value.toWellFormed?.() ?? $("description").value;
  if (!text.trim()) {
    complain("Write a description first.");
    $("description").focus();
    return;
  }
  if (!$("threshold").checkValidity()) {
    complain("The least probability is a number from 0.01 to 1.");
    $("more").open = true;
    $("threshold").focus();
    return;
  }
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const place = $("answer");
  place.setAttribute("aria-busy", "true");
  say("Reading …");
  try {
    await load();
    const asked = { text, ...context() };
    const answer = await post("v1/tag", asked, signal);
    history.replaceState(null, "", link());
    place.replaceChildren(...render(answer, labels, terms), whatIf(asked, answer));
    $("model").textContent = `Model ${answer.model.version}, ${answer.model.digest.slice(0, 12)}`;
    say(`${headline(answer)}.`, answer.terms.map((term) => term.label).join("; "));
    if (event && place.getBoundingClientRect().top > innerHeight * 0.6) place.scrollIntoView({ block: "start" });
  } catch (error) {
    tell(error, (message) => {
      say("");
      complain(message);
    });
  } finally {
    if (asking?.signal === signal) place.setAttribute("aria-busy", "false");
  }
}

// The question what would change the answer, for any term that was not given.
function whatIf(asked, answer) {
  const given = new Set(answer.terms.map((term) => term.id));
  const others = [...terms.values()].filter((term) => !given.has(term.id));
  if (!others.length) return "";
  const select = el(
    "select",
    { id: "other" },
    ...others.map((term) => el("option", { value: term.id }, term.label)),
  );
  select.value = answer.near_misses[0]?.id ?? others[0].id;
  const result = el("div", { class: "result", "aria-live": "polite" });
  const look = async () => {
    try {
      const found = await post("v1/why-not", { ...asked, term: select.value });
      result.replaceChildren(...change(found, labels, terms));
    } catch (error) {
      tell(error, (message) => result.replaceChildren(el("p", { class: "error" }, message)));
    }
  };
  select.addEventListener("change", look);
  look();
  return el(
    "section",
    { class: "what-if", "aria-labelledby": "what-if-title" },
    el("h3", { id: "what-if-title" }, "What would change the answer"),
    el("label", { for: "other" }, "For this term to apply"),
    select,
    result,
  );
}

async function share() {
  history.replaceState(null, "", link());
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied. It holds the text itself.");
  } catch {
    say("The link is in the address bar. It holds the text itself.");
  }
}

function start() {
  $("examples").append(
    ...EXAMPLES.map(([text, home]) => {
      const button = el("button", { type: "button", class: "example" }, text);
      button.addEventListener("click", async () => {
        await load().catch(() => {});
        $("description").value = text;
        $("home").value = home;
        ask(new Event("click"));
      });
      return el("li", {}, button);
    }),
  );
  $("ask").addEventListener("submit", ask);
  $("share").addEventListener("click", share);
  $("description").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(event);
  });
  $("access").addEventListener("submit", async (event) => {
    event.preventDefault();
    useToken($("token").value.trim());
    show($("access"), false);
    complain("");
    await begin();
    $("description").focus();
  });
  addEventListener("hashchange", () => restore() && ask());
  setUpTable(context, tell);
  begin();
}

async function begin() {
  try {
    await load();
    if (restore()) await ask();
    else if ($("description").value.trim()) await ask();
  } catch (error) {
    tell(error, complain);
  }
}

start();

// Showing an answer: the tags, the text with its words marked, the definitions, and what nearly applied.

import { count, el, sentence } from "./dom.js";

const GIVEN = {
  vendor_contract: "you said that this is a contract with an outside vendor",
  home: "you gave the client’s country",
  provider_country: "you gave the provider’s country",
};
const SILENCED = ["denied", "ended", "discussed"];

// A probability as the command line shows it.
export const figure = (probability) => probability.toFixed(2);

// A condition that is not met, in words.
export function condition(missing, labels) {
  if (missing.startsWith("not ")) return `it must not be that ${labels.get(missing.slice(4)) ?? missing}`;
  const choices = missing.split("|");
  if (choices.length > 3) return "a kind of work that counts as a business process";
  return choices.map((choice) => labels.get(choice) ?? choice).join(" or ");
}

// The headline, also told to those who do not see the page.
export function headline(answer) {
  if (!answer.terms.length) return "No term applies";
  return `${count(answer.terms.length, "term")} appl${answer.terms.length === 1 ? "ies" : "y"}`;
}

// The answer as elements. `labels` are of facts, `terms` of the vocabulary by id.
export function render(answer, labels, terms) {
  const ordered = [...answer.terms].sort((a, b) => a.implied - b.implied || b.probability - a.probability);
  const own = ordered.filter((term) => !term.implied);
  const following = ordered.filter((term) => term.implied);
  const text = marked(answer);
  return [
    el("h2", { id: "answer-title" }, headline(answer)),
    answer.reason && el("p", { class: "reason" }, answer.reason.says),
    ordered.length > 0 && chips(ordered, text),
    text,
    !ordered.length && silenced(answer, labels),
    own.length > 0 && el("div", { class: "terms" }, ...own.map((term) => card(term, labels))),
    following.length > 0 && follow(following, labels),
    answer.near_misses.length > 0 && nearly(answer.near_misses, labels, terms),
  ].filter(Boolean);
}

// The text with its evidence marked. Offsets count characters, of which some take two places in a script's string.
function marked(answer) {
  const letters = Array.from(answer.text);
  const spans = answer.terms.flatMap((term) => term.evidence.map((span) => ({ ...span, term: term.id })));
  const cuts = [...new Set([0, letters.length, ...spans.flatMap((s) => [s.start, s.end])])].sort((a, b) => a - b);
  const shown = el("p", { class: "text", id: "marked-text" });
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const [start, end] = [cuts[i], cuts[i + 1]];
    const words = letters.slice(start, end).join("");
    const over = spans.filter((span) => span.start <= start && end <= span.end);
    if (over.length) {
      shown.append(el("mark", { "data-terms": [...new Set(over.map((span) => span.term))].join(" ") }, words));
    } else {
      shown.append(words);
    }
  }
  return el("figure", { class: "quote" }, el("figcaption", { class: "quiet" }, spans.length ? "Words that decide are marked" : "The description"), shown);
}

// The terms as buttons; one that is pressed leaves only its own words marked.
function chips(ordered, text) {
  const buttons = ordered.map((term) =>
    el(
      "button",
      { type: "button", class: term.implied ? "chip implied" : "chip", "aria-pressed": "false", "data-term": term.id },
      term.label,
      el("span", { class: "number" }, figure(term.probability)),
    ),
  );
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = button.getAttribute("aria-pressed") === "false" ? button.dataset.term : null;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other.dataset.term === chosen));
      for (const mark of text.querySelectorAll("mark")) {
        mark.classList.toggle("off", chosen !== null && !mark.dataset.terms.split(" ").includes(chosen));
      }
    });
  }
  return el(
    "div",
    { class: "chips", role: "group", "aria-label": "Terms that apply; press one to see its words only" },
    ...buttons,
  );
}

function card(term, labels) {
  return el(
    "article",
    { class: "term", "aria-labelledby": `term-${term.id}` },
    el("header", {}, el("h3", { id: `term-${term.id}` }, term.label), sure(term)),
    ...proof(term, labels),
  );
}

// The terms that others bring with them, folded up.
function follow(ordered, labels) {
  return el(
    "section",
    { class: "following", "aria-labelledby": "following-title" },
    el("h3", { id: "following-title" }, ordered.length === 1 ? "Follows from these" : "Follow from these"),
    ...ordered.map((term) =>
      el("details", { class: "term implied" }, el("summary", {}, el("span", {}, term.label), sure(term)), ...proof(term, labels)),
    ),
  );
}

function sure(term) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
  bar.firstChild.style.inlineSize = `${Math.round(100 * term.probability)}%`;
  return el("span", { class: "sure" }, bar, el("span", { class: "number" }, figure(term.probability)));
}

// Words, and the definitions that they meet.
function proof(term, labels) {
  const [first, ...others] = term.definitions;
  return [
    because(term, labels),
    definition(first),
    others.length > 0 &&
      el(
        "details",
        {},
        el("summary", {}, others.length === 1 ? "One more definition" : `${others.length} more definitions`),
        ...others.map(definition),
      ),
  ];
}

function because(term, labels) {
  const words = new Map();
  for (const span of term.evidence) {
    words.set(span.fact, (words.get(span.fact) ?? new Set()).add(span.text.trim().split(/\s+/).join(" ")));
  }
  const rows = [...words].map(([fact, texts]) =>
    el("li", {}, ...[...texts].flatMap((text, i) => [i ? ", " : "", el("q", {}, text)]), ` – ${labels.get(fact) ?? fact}`),
  );
  rows.push(...term.given.map((given) => el("li", {}, sentence(GIVEN[given] ?? given))));
  return rows.length ? el("ul", { class: "because", "aria-label": "Because of these words" }, ...rows) : null;
}

function definition(found) {
  const source = found.citation;
  return el(
    "blockquote",
    { class: "definition" },
    el("p", {}, found.says),
    el("footer", {}, el("cite", {}, source.title), ` · ${source.section} · paragraph ${source.paragraph}`),
  );
}

// Facts that the text names only to deny, end or discuss them.
function silenced(answer, labels) {
  const rows = answer.facts
    .filter((fact) => SILENCED.includes(fact.status) && fact.evidence.length)
    .map((fact) =>
      el("li", {}, `${sentence(fact.status)}: `, el("q", {}, fact.evidence[0].text), ` – ${labels.get(fact.id) ?? fact.id}`),
    );
  return rows.length ? el("ul", { class: "because", "aria-label": "What the text says of it" }, ...rows) : null;
}

function nearly(misses, labels, terms) {
  return el(
    "section",
    { class: "nearly", "aria-labelledby": "nearly-title" },
    el("h3", { id: "nearly-title" }, "Nearly"),
    el(
      "ul",
      {},
      ...misses.map((miss) =>
        el(
          "li",
          {},
          el("strong", {}, terms.get(miss.id)?.label ?? miss.id),
          el("span", { class: "number" }, figure(miss.probability)),
          el("span", { class: "lacks" }, `lacks: ${miss.missing.map((m) => condition(m, labels)).join("; ")}`),
        ),
      ),
    ),
  );
}

// What would make a term apply.
export function change(found, labels, terms) {
  const name = (id) => terms.get(id)?.label ?? id;
  if (found.applies) return [el("p", {}, `${name(found.term)} applies already.`)];
  const needed = [
    ...found.add.map((fact) => el("li", {}, `It would have to be that ${labels.get(fact) ?? fact}.`)),
    ...found.remove.map((fact) => el("li", {}, `It would have to be no longer so that ${labels.get(fact) ?? fact}.`)),
  ];
  const said = el("p", {}, needed.length ? "" : "By the facts it could apply; the model is not sure enough of them.");
  return [
    needed.length ? el("ul", { class: "needed" }, ...needed) : said,
    found.then.length > 0 && el("p", {}, "The terms would then be: ", el("strong", {}, found.then.map(name).join(" · ")), "."),
  ].filter(Boolean);
}

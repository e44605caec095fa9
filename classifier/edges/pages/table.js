// A CSV file in, the same rows out with the tags added. Rows are sent in slices and answered line by line.

import { stream } from "./api.js";
import { ADDED, added, decode, guessColumn, guessDelimiter, line, read } from "./csv.js";
import { $, count, el, show } from "./dom.js";

const MOST_BYTES = 50_000_000;
const SLICE_ROWS = 200;
const SLICE_CHARS = 400_000;
const SHOWN = 8;
const TRIES = 3;

let table = null; // { name, header, rows, delimiter, mark }
let running = null;
let address = null;

export function setUpTable(context, tell) {
  const drop = $("drop");
  $("file").addEventListener("change", (event) => open(event.target.files[0]));
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    open(event.dataTransfer.files[0]);
  });
  // A file dropped beside must not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  $("column").addEventListener("change", sample);
  $("start").addEventListener("click", () => run(context(), tell));
  $("stop").addEventListener("click", () => running?.abort());
}

function complain(text) {
  $("table-error").textContent = text;
  show($("table-error"), Boolean(text));
}

async function open(file) {
  if (!file) return;
  running?.abort();
  complain("");
  show($("table-ready"), false);
  show($("download-line"), false);
  $("preview").replaceChildren();
  $("table-status").textContent = "";
  $("drop").querySelector(".drop-main").textContent = file.name;
  if (file.size > MOST_BYTES) {
    complain("That file is larger than 50 MB: use the command classify batch for it.");
    return;
  }
  const whole = decode(new Uint8Array(await file.arrayBuffer()));
  const text = whole.replace(/^\ufeff/, "");
  const delimiter = guessDelimiter(text);
  const { header, rows } = read(text, delimiter);
  if (!rows.length) {
    complain("That file has no rows below a header. Choose a CSV file whose first line names the columns.");
    return;
  }
  const clash = ADDED.filter((name) => header.includes(name));
  if (clash.length) {
    complain(`That table already has the column ${clash.join(", ")}: tag the original file.`);
    return;
  }
  table = { name: file.name, header, rows, delimiter, mark: /^\ufeff/.test(whole) ? "\ufeff" : "" };
  const names = header.map((name, i) => el("option", { value: i }, name || `Column ${i + 1}`));
  $("column").replaceChildren(...names);
  $("column").value = guessColumn(header, rows.slice(0, 50));
  sample();
  show($("table-ready"), true);
  show($("progress"), false);
  $("table-status").textContent = `${count(rows.length, "row")}, ${count(header.length, "column")}.`;
}

function sample() {
  const at = Number($("column").value);
  const cell = table.rows.map((row) => row.cells[at]).find((text) => text.trim()) ?? "";
  $("sample").textContent = cell ? `Such as: ${cell.length > 160 ? `${cell.slice(0, 159)}…` : cell}` : "This column is empty.";
}

async function run(context, tell) {
  const { rows, header, delimiter, mark } = table;
  const at = Number($("column").value);
  running = new AbortController();
  const { signal } = running;
  const lines = [mark + line([...header, ...ADDED], delimiter)];
  const shown = [];
  const sums = { tagged: 0, bad: 0 };
  const progress = $("progress");
  progress.max = rows.length;
  complain("");
  $("preview").replaceChildren();
  busy(true);
  const take = (answer) => {
    const row = rows[lines.length - 1];
    lines.push(line([...row.cells, ...added(answer, row)], delimiter));
    sums.tagged += (answer.terms?.length ?? 0) > 0;
    sums.bad += Boolean(answer.error || row.problem);
    if (shown.length < SHOWN) shown.push([row.cells[at], answer]);
    progress.value = lines.length - 1;
  };
  let said = "";
  try {
    for (let tries = 0; lines.length <= rows.length && !signal.aborted; ) {
      const slice = next(rows, lines.length - 1, at).map((text) => ({ text, ...context }));
      const answered = await stream("v1/tag/stream", slice, take, signal);
      tries = answered ? 0 : tries + 1;
      if (tries === TRIES) throw new Error("The service stopped answering. Try again.");
      $("table-status").textContent = `${(lines.length - 1).toLocaleString("en")} of ${count(rows.length, "row")}`;
    }
    said = "Done: ";
  } catch (error) {
    if (error.name === "AbortError") said = "Stopped: ";
    tell(error, complain);
  }
  busy(false);
  if (table.rows !== rows) return; // another file was opened meanwhile
  const done = lines.length - 1;
  if (!done) return;
  const bad = sums.bad ? `, ${sums.bad.toLocaleString("en")} bad (their reason says why)` : "";
  $("table-status").textContent = `${said}${count(done, "row")}, ${sums.tagged.toLocaleString("en")} with a term${bad}.`;
  offer(lines, done === rows.length);
  $("preview").replaceChildren(preview(shown, header[at] || "Text", done));
}

// The texts of the next slice, from row `from`.
function next(rows, from, at) {
  const texts = [];
  let size = 0;
  for (const row of rows.slice(from, from + SLICE_ROWS)) {
    const cell = row.cells[at];
    const text = cell.toWellFormed?.() ?? cell;
    size += text.length;
    if (texts.length && size > SLICE_CHARS) break;
    texts.push(text);
  }
  return texts;
}

function busy(yes) {
  show($("start"), !yes);
  show($("stop"), yes);
  show($("progress"), yes);
  $("column").disabled = yes;
  if (yes) {
    show($("download-line"), false);
    $("stop").focus();
  } else if (document.activeElement === document.body || document.activeElement === $("stop")) {
    $("start").focus();
  }
}

function offer(lines, whole) {
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob(lines, { type: "text/csv;charset=utf-8" }));
  const [, stem, end] = /^(.*?)(\.[^.]*)?$/.exec(table.name);
  $("download").href = address;
  $("download").download = `${stem}-tagged${end ?? ".csv"}`;
  $("download").textContent = whole ? "Download the tagged table" : "Download what is tagged so far";
  show($("download-line"), true);
}

function preview(shown, name, done) {
  const rows = shown.map(([text, answer]) => {
    const cut = text.length > 220 ? `${text.slice(0, 219)}…` : text;
    const tags = answer.error
      ? answer.error.message
      : answer.terms.map((term) => term.label).join(" · ") || `– ${answer.reason?.says ?? ""}`;
    return el("tr", {}, el("td", {}, cut), el("td", {}, tags));
  });
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "First rows of the tagged table" },
    el(
      "table",
      {},
      el("caption", {}, done > shown.length ? `The first ${shown.length} of ${count(done, "row")}` : count(done, "row")),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, name), el("th", { scope: "col" }, "Terms"))),
      el("tbody", {}, ...rows),
    ),
  );
}

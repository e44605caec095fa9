// CSV text to rows and back, as `classify batch` reads and writes it.

const DELIMITERS = [",", ";", "\t", "|"];
const TEXT_NAME = /desc|(^|[^a-z])(text|summary|scope|details?|narrative|arrangement|requirement)s?([^a-z]|$)/i;
export const ADDED = ["terms", "probabilities", "definitions", "evidence", "reason", "model"];
const LOOK_AT = 200;
const SAMPLE = 1 << 20;
const UNCLOSED = "a quotation mark opens a cell and is never closed";
// What the caller said beside the text, in the order and words of `classify batch`.
const CALLER = [
  ["vendor_contract", "[caller: vendor contract]"],
  ["home", "[caller: home country]"],
  ["provider_country", "[caller: provider country]"],
];

// Bytes as text: by mark, else UTF-8, else Windows-1252. The mark stays, so that the output can have it, too.
export function decode(bytes) {
  const mark = bytes.subarray(0, 2).join();
  if (mark === "255,254") return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
  if (mark === "254,255") return new TextDecoder("utf-16be", { ignoreBOM: true }).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

// What ends a line: a carriage return only where nothing else does (files of old Macintoshes).
function lineEnd(text) {
  const sample = text.slice(0, SAMPLE);
  let outside = sample.replace(/"[^"]*"/g, "");
  if (!/[\r\n]/.test(outside)) outside = sample;
  return outside.includes("\r") && !outside.includes("\n") ? "\r" : "\n";
}

// All records, each as { cells, problem }; a blank line has no cells. A quotation mark that is never closed harms only
// its own line, which is then read without quoting; so do two stray marks that would join the lines between them.
export function parse(text, delimiter, most = Infinity, end = lineEnd(text)) {
  const records = [];
  // A cell that is open where a line begins, up to here, is known to stay open. So no file takes quadratic time.
  let hopeless = -1;

  const after = (at) => {
    const found = text.indexOf(end, at);
    return found < 0 ? text.length : found + 1;
  };
  // Where a line ends without its break.
  const bare = (from, to) => {
    let at = to;
    while (at > from && (text[at - 1] === "\n" || text[at - 1] === "\r")) at -= 1;
    return at;
  };

  // The cells of the record at `start` and where the next one begins; null when a quotation mark is not closed.
  const record = (start) => {
    const cells = [];
    const first = after(start);
    let next = first;
    let stop = bare(start, next);
    let at = start;
    let stray = false;
    if (stop === start) return [cells, next];
    for (;;) {
      let cell = "";
      if (at < stop && text[at] === '"') {
        at += 1;
        for (;;) {
          const quote = text.indexOf('"', at);
          if (quote < 0 || quote >= next) {
            if (stray || next <= hopeless) return null;
            if (quote < 0) {
              hopeless = Infinity;
              return null;
            }
            next = after(quote);
            stop = bare(quote + 1, next);
          }
          cell += text.slice(at, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          cell += '"';
          at += 1;
        }
        stray ||= at < stop && text[at] !== delimiter;
        if (stray && first < next) {
          hopeless = Math.max(hopeless, text.lastIndexOf(end, at - 1) + 1);
          return null;
        }
      }
      const from = at;
      while (at < stop && text[at] !== delimiter) at += 1;
      cells.push(cell + text.slice(from, at));
      if (at === stop) return [cells, next];
      at += 1;
    }
  };

  for (let at = 0; at < text.length && records.length < most; ) {
    const found = record(at);
    if (found) {
      records.push({ cells: found[0], problem: "" });
      at = found[1];
    } else {
      const next = after(at);
      records.push({ cells: text.slice(at, bare(at, next)).split(delimiter), problem: UNCLOSED });
      at = next;
    }
  }
  return records;
}

// The header, which is the first line that is not blank, and the rows below, each fitted to its width.
export function read(text, delimiter) {
  const records = parse(text, delimiter);
  const first = records.findIndex((record) => record.cells.length);
  if (first < 0) return { header: [], rows: [] };
  const header = records[first].cells;
  return { header, rows: records.slice(first + 1).map((record) => fit(record, header.length)) };
}

// The delimiter under which the first rows best agree with the header on the number of cells; of a table of one column
// the first that would not cut its cells.
export function guessDelimiter(text) {
  const sample = text.slice(0, SAMPLE);
  const end = sample.includes("\n") ? "\n" : "\r";
  let best = [null, 0];
  let single = null;
  for (const delimiter of DELIMITERS) {
    const widths = parse(sample, delimiter, LOOK_AT, end).flatMap(({ cells }) => cells.length || []);
    if (!widths.length) break;
    const agreeing = widths.filter((width) => width === widths[0]).length / widths.length;
    const score = agreeing * (widths[0] - 1);
    if (score > best[1]) best = [delimiter, score];
    if (widths[0] === 1 && agreeing === 1) single ??= delimiter;
  }
  return best[0] ?? single ?? ",";
}

// The column that most likely holds the descriptions: by its name, else by its words.
export function guessColumn(header, rows) {
  const words = header.map((_, i) => {
    const filled = rows.map((row) => row.cells[i]).filter((cell) => cell.trim());
    return filled.reduce((sum, cell) => sum + cell.trim().split(/\s+/).length, 0) / (filled.length || 1);
  });
  const by = (indices) => indices.sort((a, b) => words[b] - words[a])[0];
  const all = header.map((_, i) => i);
  return by(all.filter((i) => TEXT_NAME.test(header[i]) && words[i] >= 3)) ?? by(all);
}

// A record as a row as wide as the header: { cells, problem, left }, the last as JSON. A blank line has empty cells.
function fit({ cells, problem }, width) {
  if (!cells.length) return { cells: Array(width).fill(""), problem, left: "" };
  if (cells.length === width) return { cells, problem, left: "" };
  const told = together(problem, `${count(cells.length)} where the header has ${width}`);
  if (cells.length < width) {
    return { cells: [...cells, ...Array(width - cells.length).fill("")], problem: told, left: "" };
  }
  const left = `[${cells.slice(width).map((cell) => JSON.stringify(cell)).join(", ")}]`;
  return { cells: cells.slice(0, width), problem: told, left };
}

const count = (number) => `${number} field${number === 1 ? "" : "s"}`;

const together = (...problems) => problems.filter(Boolean).join("; ");

// A cell of ours that would be a formula in a spreadsheet gets an apostrophe.
const safe = (cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);

// With three digits as Python has them: a tie goes to the even one, where toFixed takes the larger. Of all numbers only
// the odd sixteenths lie halfway between two thousandths.
export function rounded(probability) {
  const tie = (probability * 16) % 2 === 1;
  return (tie ? (2 * Math.round(probability * 500)) / 1000 : probability).toFixed(3);
}

// The quotes of all terms in the text's order, then what the caller said.
function evidence(terms) {
  const places = new Map(terms.flatMap((term) => term.evidence).map((span) => [`${span.start},${span.end}`, span]));
  const ordered = [...places.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const given = new Set(terms.flatMap((term) => term.given));
  return [
    ...ordered.map((span) => span.text.trim().split(/\s+/).join(" ")),
    ...CALLER.filter(([name]) => given.has(name)).map(([, shown]) => shown),
  ].join(" | ");
}

// The cells that are added to a row for its answer, which may be that it could not be tagged.
export function added(answer, { problem, left }) {
  const told = together(problem, answer.error?.message);
  const bad = told && `bad row: ${told}${left && `; left over: ${left}`}`;
  if (answer.error) return ["", "", "", "", bad, ""];
  return [
    answer.terms.map((term) => term.id).join("|"),
    answer.terms.map((term) => rounded(term.probability)).join("|"),
    answer.terms.flatMap((term) => term.definitions.map((definition) => definition.id)).join("|"),
    evidence(answer.terms),
    bad || (answer.reason?.id ?? ""),
    `${answer.model.version} ${answer.model.digest.slice(0, 12)}`,
  ].map(safe);
}

export function line(cells, delimiter) {
  const quoted = (cell) =>
    cell.includes('"') || cell.includes("\n") || cell.includes("\r") || cell.includes(delimiter)
      ? `"${cell.replaceAll('"', '""')}"`
      : cell;
  return `${cells.map(quoted).join(delimiter)}\r\n`;
}

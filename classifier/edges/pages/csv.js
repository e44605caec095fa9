// CSV text to rows and back, as `classify batch` reads and writes it.

const DELIMITERS = [",", ";", "\t", "|"];
const TEXT_NAME = /desc|(^|[^a-z])(text|summary|scope|details?|narrative|arrangement|requirement)s?([^a-z]|$)/i;
export const ADDED = ["terms", "probabilities", "definitions", "evidence", "reason", "model"];

// Bytes as text: by mark, else UTF-8, else Windows-1252.
export function decode(bytes) {
  const mark = bytes.subarray(0, 2).join();
  if (mark === "255,254") return new TextDecoder("utf-16le").decode(bytes);
  if (mark === "254,255") return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

// All rows, each a list of cells. Blank lines are left out.
export function parse(text, delimiter, most = Infinity) {
  const rows = [];
  let row = [];
  let at = 0;
  const end = text.length;
  while (at < end && rows.length < most) {
    let cell = "";
    if (text[at] === '"') {
      at += 1;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote < 0) {
          cell += text.slice(at);
          at = end;
          break;
        }
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at += 1;
      }
    }
    const start = at;
    while (at < end && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
    row.push(cell + text.slice(start, at));
    if (text[at] === delimiter) {
      at += 1;
      if (at < end) continue;
      row.push("");
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

// The delimiter under which the first rows best agree with the header on the number of cells.
export function guessDelimiter(text) {
  const sample = text.slice(0, 100000);
  let best = [",", 0];
  for (const delimiter of DELIMITERS) {
    const widths = parse(sample, delimiter, 50).map((row) => row.length);
    const agreeing = widths.filter((width) => width === widths[0]).length / (widths.length || 1);
    const score = agreeing * ((widths[0] ?? 1) - 1);
    if (score > best[1]) best = [delimiter, score];
  }
  return best[0];
}

// The column that most likely holds the descriptions: by its name, else by its words.
export function guessColumn(header, rows) {
  const words = header.map((_, i) => {
    const filled = rows.map((row) => row[i] ?? "").filter((cell) => cell.trim());
    return filled.reduce((sum, cell) => sum + cell.trim().split(/\s+/).length, 0) / (filled.length || 1);
  });
  const by = (indices) => indices.sort((a, b) => words[b] - words[a])[0];
  const all = header.map((_, i) => i);
  return by(all.filter((i) => TEXT_NAME.test(header[i]) && words[i] >= 3)) ?? by(all);
}

// A row as wide as the header, and what was wrong with it.
export function fit(row, width) {
  if (row.length === width) return [row, ""];
  const problem = `${count(row.length)} where the header has ${width}`;
  if (row.length < width) return [[...row, ...Array(width - row.length).fill("")], problem];
  return [row.slice(0, width), `${problem}; left over: ${JSON.stringify(row.slice(width))}`];
}

const count = (number) => `${number} field${number === 1 ? "" : "s"}`;

// A cell of ours that would be a formula in a spreadsheet gets an apostrophe.
const safe = (cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);

// The cells that are added for an answer, or for a row that could not be tagged.
export function added(answer, problem) {
  if (answer.error) return ["", "", "", "", safe(`bad row: ${answer.error.message}`), ""];
  const spans = answer.terms.flatMap((term) => term.evidence);
  const places = new Map(spans.map((span) => [`${span.start},${span.end}`, span]));
  const ordered = [...places.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  return [
    answer.terms.map((term) => term.id).join("|"),
    answer.terms.map((term) => term.probability.toFixed(3)).join("|"),
    answer.terms.flatMap((term) => term.definitions.map((definition) => definition.id)).join("|"),
    ordered.map((span) => span.text.trim().split(/\s+/).join(" ")).join(" | "),
    problem ? `bad row: ${problem}` : (answer.reason?.id ?? ""),
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

// Talking to the service. Addresses are relative, so that the page works under a prefix.

const TOKEN = "classifier-token";
const TRIES = 6;

// What the service says when it does not answer.
export class Refusal extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.where = error.where;
  }
}

export function useToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

function headers(type) {
  const token = sessionStorage.getItem(TOKEN);
  return { ...(type && { "Content-Type": type }), ...(token && { Authorization: `Bearer ${token}` }) };
}

const pause = (seconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

// A response that is good. A busy service is asked again when it says so.
async function send(path, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    let response;
    try {
      response = await fetch(path, { ...options, cache: "no-cache", referrerPolicy: "no-referrer" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, { code: "unreachable", message: "The service cannot be reached. Try again." });
    }
    if (response.ok) return response;
    let told = { code: "http", message: `The service answered with status ${response.status}.` };
    try {
      told = (await response.json()).error ?? told;
    } catch {
      // Not from the service itself: something stands between.
    }
    if (response.status !== 503 || attempt === TRIES) throw new Refusal(response.status, told);
    await pause(Number(response.headers.get("Retry-After")) || attempt, options.signal);
  }
}

export async function get(path) {
  return (await send(path, { headers: headers() })).json();
}

export async function post(path, body, signal) {
  const options = { method: "POST", headers: headers("application/json"), body: JSON.stringify(body), signal };
  return (await send(path, options)).json();
}

// Sends objects a line each, and hands over each answer as it comes. Resolves to the number of answers.
export async function stream(path, rows, onAnswer, signal) {
  const body = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const response = await send(path, { method: "POST", headers: headers("application/x-ndjson"), body, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let answered = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return answered;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const answer = JSON.parse(line);
      // Told of the stream and not of a line: it has ended early.
      if (answer.error && !answer.error.line) return answered;
      onAnswer(answer);
      answered += 1;
    }
  }
}

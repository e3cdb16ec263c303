/** Questions to the server: the last of each kind counts, those before it are taken back. */

const under = new Map(); // kind → AbortController

/** Takes back what is asked of these kinds. */
export function takeBack(...kinds) {
  for (const kind of kinds) under.get(kind)?.abort();
}

/** The answer, or null if it was taken back; throws an Error in words. Waits where all are busy. */
export async function ask(kind, address, options = {}) {
  takeBack(kind);
  const control = new AbortController();
  under.set(kind, control);
  try {
    for (let pause = 300; ; pause = Math.min(2 * pause, 4000)) {
      const response = await reach(address, { ...options, signal: control.signal });
      const answer = await read(response);
      if (control.signal.aborted) return null;
      if (response.ok) return answer;
      if (response.status !== 503 || options.body) throw new Error(answer.error);
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      if (control.signal.aborted) return null;
    }
  } catch (error) {
    if (error.name === "AbortError" || control.signal.aborted) return null;
    throw error;
  }
}

/** The answer's JSON; some answers of the server itself, such as that of too many connections, are text. */
async function read(response) {
  if (response.ok) return response.json();
  return response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is preimage serve still running?");
  }
}

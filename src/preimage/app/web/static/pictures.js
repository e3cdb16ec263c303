/** The four pictures and what stands below them. */

const figure = (name) => document.getElementById(`show-${name}`);
const problem = document.getElementById("problem");
const status = document.getElementById("status");
const raw = document.getElementById("raw");
let shown = null; // the last answer

/** A picture and its note; or, without one, words in its place. */
function show(name, { source = null, alt = "", note = "", instead = "" }) {
  const box = figure(name);
  const image = box.querySelector("img");
  const words = box.querySelector(".instead");
  image.hidden = !source;
  if (source) {
    image.src = source;
    image.alt = alt;
  } else {
    image.removeAttribute("src");
  }
  if (words) {
    words.hidden = !instead;
    words.textContent = instead;
  }
  box.querySelector(".note").textContent = note;
  box.classList.remove("waits");
}

const inWords = (scores) =>
  Object.entries(scores).map(([name, value]) => `${name} ${value}`).join(" · ");

export function showPhoto(address, name) {
  show("photo", { source: address, alt: `The photo: ${name}`, note: name });
}

export function showPicture(answer, title, isPreview) {
  shown = answer;
  const note = isPreview ? `preview at ${answer.size} px` : inWords(answer.scores);
  draw(note + (answer.inverted && !isPreview ? " · shown inverted" : ""), title);
  figure("picture").classList.toggle("preview", isPreview);
  figure("picture").dataset.query = answer.query;
  problem.hidden = true;
  if (!isPreview) {
    status.textContent = `${title}: ${inWords(answer.scores)}; ${Math.round(answer.seconds * 1000)} ms`;
  }
}

function draw(note, title) {
  const both = shown.grey && shown.colour;
  raw.hidden = !both;
  const colours = !shown.grey || (both && raw.getAttribute("aria-pressed") === "true");
  const source = colours ? shown.colour : shown.grey;
  show("picture", { source, alt: `What comes back of the photo: ${title}`, note });
}

raw.addEventListener("click", () => {
  const on = raw.getAttribute("aria-pressed") !== "true";
  raw.setAttribute("aria-pressed", String(on));
  const box = figure("picture");
  draw(box.querySelector(".note").textContent, box.querySelector("img").alt.split(": ").pop());
});

export function showLimit(answer) {
  if (answer.none) {
    show("limit", { instead: answer.none });
    show("difference", { instead: "Without a limit there is nothing to subtract." });
    return;
  }
  const sampled = answer.sampled === null ? "exact" : `sampled, ± ${answer.sampled} of its brightest pixel`;
  show("limit", {
    source: answer.limit,
    alt: `What the same network shows at infinite width (${sampled})`,
    note: `${inWords(answer.scores)} · ${sampled}`,
  });
  show("difference", {
    source: answer.difference,
    alt: "The network, equally bright, minus the limit: orange above, blue below",
    note: `network − limit; full colour at ${answer.full_colour} of its brightest pixel`,
  });
}

/** Says that these are not yet of what the form asks for. */
export function wait(...names) {
  for (const name of names) figure(name).classList.add("waits");
}

export function showProblem(words) {
  problem.textContent = words;
  problem.hidden = false;
  status.textContent = "";
}

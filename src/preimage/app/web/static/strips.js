/** Strips of small pictures: the same photo by layer and by seed. */

import { ask, takeBack } from "./ask.js";
import { blocks, choose, query, valueOf } from "./controls.js";

const SEEDS = 6;

/** What a strip shows now: [value, what it is called]. */
function stops(name) {
  if (name === "layer") return blocks().map((block) => [block, block]);
  const first = Math.max(0, Math.min(Number(valueOf("seed")) - 2, 2 ** 31));
  return Array.from({ length: SEEDS }, (_, i) => [String(first + i), `seed ${first + i}`]);
}

/** Fills both strips, one picture after the other, until they are taken back. */
export async function showStrips(onChoice) {
  for (const name of ["layer", "seed"]) {
    const box = document.getElementById(`strip-${name}`);
    box.hidden = valueOf("decoder") !== "";
    if (!box.hidden) fillStrip(name, box.querySelector(".tiles"), onChoice);
  }
}

export function takeBackStrips() {
  takeBack("strip-layer", "strip-seed");
}

async function fillStrip(name, box, onChoice) {
  const wanted = stops(name).map(([value, word]) => [value, word, query({ [name]: value })]);
  const tiles = [...box.children];
  if (tiles.map((t) => t.dataset.value).join() !== wanted.map(([v]) => v).join()) {
    box.replaceChildren(...wanted.map(([value, word]) => tile(name, value, word, onChoice)));
  }
  for (const [index, [value]] of wanted.entries()) {
    const button = box.children[index];
    button.setAttribute("aria-pressed", String(value === valueOf(name)));
    button.querySelector("img").classList.add("waits");
  }
  for (const [index, [, , asked]] of wanted.entries()) {
    let answer;
    try {
      answer = await ask(`strip-${name}`, `api/strip?${asked}`);
    } catch (error) {
      label(box.children[index], error.message);
      continue;
    }
    if (answer === null) return;
    const image = box.children[index].querySelector("img");
    image.src = answer.grey;
    image.hidden = false;
    image.classList.remove("waits");
    label(box.children[index], `SSIM ${answer.scores.SSIM}`);
  }
}

function tile(name, value, word, onChoice) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.value = value;
  const image = document.createElement("img");
  image.alt = "";
  image.hidden = true;
  image.width = image.height = 96;
  const [title, note] = [document.createElement("span"), document.createElement("small")];
  title.textContent = word;
  button.append(image, title, note);
  button.addEventListener("click", () => {
    choose(name, value);
    onChoice();
  });
  return button;
}

function label(button, note) {
  button.querySelector("small").textContent = note;
}

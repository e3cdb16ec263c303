/** From a change of the form to pictures: a small one at once, the whole one, then all the rest. */

import { showAgain } from "./again.js";
import { ask, takeBack } from "./ask.js";
import { showNetwork } from "./boxes.js";
import { fill, onChange, query, valueOf } from "./controls.js";
import { showLimit, showPhoto, showPicture, showProblem, wait } from "./pictures.js";
import { showStrips, takeBackStrips } from "./strips.js";
import { addPhoto, takeUploads } from "./uploads.js";

const PREVIEW = "64"; // pixels
const QUICK = 120; // milliseconds: a whole picture that comes so soon needs no preview

let last = 1000; // milliseconds that the last whole picture took
let round = 0;

/** Shows what the form asks for; a later change takes it back. */
async function update() {
  const mine = ++round;
  const asked = query();
  takeBack("preview", "picture", "limit");
  takeBackStrips();
  wait("picture", "limit", "difference");
  showPhoto(`photo.png?${new URLSearchParams({ photo: valueOf("photo"), size: valueOf("size") })}`, nameOfPhoto());
  const started = performance.now();
  if (last > QUICK && Number(valueOf("size")) > Number(PREVIEW)) preview(mine);
  try {
    const answer = await ask("picture", `api/picture?${asked}`);
    if (answer === null || mine !== round) return;
    last = performance.now() - started;
    history.replaceState(null, "", `?${asked}`);
    takeBack("preview");
    showPicture(answer, title(), false);
    showNetwork(answer.network);
    showAgain(answer);
    const limit = await ask("limit", `api/limit?${asked}`);
    if (limit === null || mine !== round) return;
    showLimit(limit);
    showStrips(update);
  } catch (error) {
    if (mine === round) showProblem(error.message);
  }
}

async function preview(mine) {
  try {
    const answer = await ask("preview", `api/picture?${query({ size: PREVIEW })}`);
    if (answer !== null && mine === round) showPicture(answer, title(), true);
  } catch {
    // The whole picture will say what is wrong.
  }
}

function title() {
  if (valueOf("decoder")) return document.getElementById("decoder").selectedOptions[0].textContent;
  const width = valueOf("width") ? `, width ${valueOf("width")}` : "";
  return `${valueOf("layer")} of ${valueOf("architecture")}${width}`;
}

const nameOfPhoto = () => document.querySelector("input[name=photo]:checked")?.dataset.name ?? "";

let frame = 0;
onChange(() => {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(update);
});
takeUploads(update);
document.getElementById("reset").addEventListener("click", () => {
  fill("");
  update();
});

const photo = new URLSearchParams(location.search).get("photo");
if (photo && !document.getElementById(`photo-${photo}`)) addPhoto({ id: photo, name: "your own" });
fill(location.search);
update();

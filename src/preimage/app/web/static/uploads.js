/** Files of one's own: chosen, dropped or pasted; a photo or a decoder. */

import { ask } from "./ask.js";
import { choose } from "./controls.js";
import { showProblem } from "./pictures.js";

const drop = document.getElementById("drop");

export function takeUploads(onDone) {
  const take = (file) => upload(file).then((done) => done && onDone());
  for (const id of ["file", "decoder-file"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => {
      if (input.files[0]) take(input.files[0]);
      input.value = "";
    });
  }
  addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) take(file);
  });
  let depth = 0; // of elements that the pointer has entered
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (isFile(event)) drop.hidden = ++depth === 0;
  });
  addEventListener("dragleave", (event) => {
    if (isFile(event)) drop.hidden = --depth <= 0;
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    drop.hidden = true;
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}

/** Sends a file and chooses it; whether that went well. */
async function upload(file) {
  const most = Number(document.querySelector("main").dataset.most);
  if (file.size > most) {
    showProblem(`${file.name} has more than ${Math.round(most / 2 ** 20)} MB, the most that this server takes.`);
    return false;
  }
  const isDecoder = file.name.endsWith(".safetensors");
  const address = `api/${isDecoder ? "decoders" : "photos"}?${new URLSearchParams({ name: file.name })}`;
  try {
    const answer = await ask("upload", address, { method: "POST", body: file });
    if (answer === null) return false;
    if (isDecoder) addDecoder(answer);
    else addPhoto(answer);
  } catch (error) {
    showProblem(error.message);
    return false;
  }
  return true;
}

function addDecoder({ id, name }) {
  const menu = document.getElementById("decoder");
  if (![...menu.options].some((option) => option.value === id)) menu.add(new Option(`decoder ${name}`, id));
  choose("decoder", id);
}

/** A thumbnail more, which is chosen. */
export function addPhoto({ id, name }) {
  if (!document.getElementById(`photo-${id}`)) {
    const thumb = document.createElement("span");
    thumb.className = "thumb";
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "photo", id: `photo-${id}`, value: id });
    input.dataset.name = name;
    const label = document.createElement("label");
    label.htmlFor = input.id;
    const image = document.createElement("img");
    Object.assign(image, { src: `photo.png?photo=${id}&size=96`, alt: "", width: 96, height: 96 });
    const words = document.createElement("span");
    words.textContent = name;
    label.append(image, words);
    thumb.append(input, label);
    document.querySelector(".thumb.add").before(thumb);
  }
  choose("photo", id);
}
